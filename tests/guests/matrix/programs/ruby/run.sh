ruby --disable-gems main.rb

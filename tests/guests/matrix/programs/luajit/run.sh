luajit -joff main.lua > off
luajit main.lua > on
cmp on off && cat on

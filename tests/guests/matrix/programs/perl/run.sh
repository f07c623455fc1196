perl main.pl

# Perl: hashes, patterns, closures, formats and packed numbers, over the file it is given.
use strict;
use warnings;

my (%count, $longest);
$longest = '';
while (my $line = <>) {
    $count{$_}++ for split ' ', $line;
    $longest = $1 if $line =~ /\b([a-z]*(?:ab|ba)[a-z]*)\b/ && length $1 > length $longest;
}
my @top = (sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count)[0 .. 9];
printf "%-10s %5d %8.4f\n", $_, $count{$_}, log $count{$_} for @top;
print "longest: $longest\n";

sub counter { my $n = shift; return sub { return $n += shift } }
my $add = counter(40);
print join(' ', map { $add->($_) } 1 .. 5), "\n";
print unpack('H*', pack('N n C d>', 3735928559, 4660, 255, 1 / 3)), "\n";
(my $text = 'stranger foreigner guest') =~ s/(\w+)/\u$1/g;
print "$text ", scalar reverse($text), ' ', sprintf('%vd', '1.22.333'), "\n";
print join(',', sort { $a <=> $b } map { $_ * 7919 % 101 } 1 .. 20), "\n";
my $fibonacci;
$fibonacci = sub { my $n = shift; return $n < 2 ? $n : $fibonacci->($n - 1) + $fibonacci->($n - 2) };
print $fibonacci->(18), "\n";
eval { die { code => 7 } };
print "died with $@->{code}\n";
exit 6;

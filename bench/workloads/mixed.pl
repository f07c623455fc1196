# Perl of several kinds, as often as the argument says: calls, hashes, strings, patterns, sorting and a little floating point.
use strict;
use warnings;
no warnings 'recursion';

sub fibonacci { my $n = shift; return $n < 2 ? $n : fibonacci($n - 1) + fibonacci($n - 2) }

sub sieve {
    my $limit = shift;
    my (@composite, $count);
    for my $n (2 .. $limit) {
        next if $composite[$n];
        $count++;
        for (my $multiple = $n * $n; $multiple <= $limit; $multiple += $n) { $composite[$multiple] = 1 }
    }
    return $count;
}

sub words {
    my $n = shift;
    my (%seen, @parts);
    for my $i (1 .. $n) {
        my $word = sprintf "word%d", $i * 37 % 911;
        push @parts, $word;
        $seen{$word}++;
    }
    my $text = join " ", @parts;
    my $digits = ($text =~ s/\d+/#/g);
    my @sorted = sort { $a cmp $b } @parts;
    return (length $text, $digits, $sorted[$n / 2], $seen{word37});
}

sub fields {
    my ($n, $sum) = (shift, 0);
    for my $i (1 .. $n) {
        my $line = "user$i:x:" . (1000 + $i % 77) . ":/home/user$i:/bin/sh";
        $sum += $3 if $line =~ /^(\w+):(\w):(\d+):/;
        $sum += length((split /:/, $line)[3]);
    }
    return $sum;
}

package Counter;
sub new { my ($class, $count) = @_; return bless { count => $count }, $class }
sub add { my ($self, $step) = @_; return $self->{count} += $step }

package main;

sub heat {
    my ($cells, $steps) = @_;
    my @now = map { $_ % 10 } 0 .. $cells;
    for (1 .. $steps) {
        for my $i (2 .. $cells - 1) { $now[$i] += 0.25 * ($now[$i - 1] - 2 * $now[$i] + $now[$i + 1]) }
    }
    return sprintf "%.6f", $now[$cells / 2];
}

for my $step (1 .. $ARGV[0]) {
    my $counter = Counter->new(0);
    $counter->add($_) for 1 .. 20_000;
    print join(" ", $step, fibonacci(17), sieve(20_000), words(5_000), fields(3_000), $counter->add(0), heat(500, 40)), "\n";
}

# Threads of the interpreter, a queue between them, fork and pipe, alarm, and a regular expression that backtracks.
use strict; use warnings;
use threads; use threads::shared; use Thread::Queue;
my $count :shared = 0;
my @threads = map { my $n = $_; threads->create(sub { for (1 .. 500) { lock($count); $count++ } return $n * $n }) } 1 .. 5;
print "threads ", join(",", map { $_->join } @threads), " counted $count\n";
my $queue = Thread::Queue->new;
my $reader = threads->create(sub { my $sum = 0; while (defined(my $n = $queue->dequeue)) { $sum += $n } $sum });
$queue->enqueue(1 .. 300); $queue->end;
print "queue ", $reader->join, "\n";
pipe(my $in, my $out) or die; $| = 1;
my $pid = fork // die;
if (!$pid) { close $in; print $out "from the child\n"; close $out; exit 3 }
close $out; print "pipe ", scalar <$in>; waitpid $pid, 0; print "status ", $? >> 8, "\n";
eval { local $SIG{ALRM} = sub { die "alarm\n" }; alarm 1; 1 while 1 }; print "caught $@";
print "matched ", join(" ", ("stranger guest host " x 200) =~ /((\w)\w*\2)/g ? "yes" : "no"), "\n";
printf "%.6f %s\n", atan2(1, 1) * 4, join ",", sort { $a <=> $b } map { ($_ * 7919) % 101 } 1 .. 10;

# perl: a storm of forks, pipes, signals, sockets between children, waitpid in any order
# grade=medium time=90
perl -e '
use strict; use POSIX ":sys_wait_h"; use Socket;
my $sum = 0;
for my $round (1 .. 20) {
    my @r;
    for my $i (1 .. 25) {
        pipe(my $r, my $w) or die; my $pid = fork // die;
        if (!$pid) { close $r; my $s = 0; $s += $_ * $i for 1 .. 200; print $w $s; close $w; POSIX::_exit($i % 7) }
        close $w; push @r, [$pid, $r, $i];
    }
    for (reverse @r) { my ($pid, $r, $i) = @$_; $sum += <$r>; waitpid($pid, 0) == $pid or die; die "status $?" unless $? >> 8 == $i % 7; }
}
print "$sum\n";
my $got = 0; $SIG{CHLD} = sub { while ((my $p = waitpid(-1, WNOHANG)) > 0) { $got++ } };
for (1 .. 100) { my $p = fork // die; POSIX::_exit(0) unless $p } while ($got < 100) { select undef, undef, undef, 0.01 } print "$got\n";
socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0) or die; $SIG{CHLD} = "DEFAULT";
if (my $p = fork) { close $b; my $t = ""; while (sysread $a, my $x, 4096) { $t .= $x } waitpid $p, 0; print length $t, "\n" }
else { close $a; for (1 .. 500) { syswrite $b, "x" x 777 } POSIX::_exit(0) }
my @o = map { scalar `echo $_` } 1 .. 30; chomp @o; print "@o[0, 29]\n";
$SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; select undef, undef, undef, 10 }; print $@;
my $d = 0; local $SIG{USR1} = sub { $d++ }; for (1 .. 1000) { kill USR1 => $$ } print "$d\n";
my $deep = 0; sub nest { my $n = shift; if ($n) { my $p = fork // die; if (!$p) { nest($n - 1); POSIX::_exit($n) } waitpid $p, 0; die unless $? >> 8 == $n } } nest(12); print "nested\n";
system("exit 3;"); print $? >> 8, "\n"; system { "sh" } "name", "-c", "kill -9 \$\$"; print $? & 127, "\n";'

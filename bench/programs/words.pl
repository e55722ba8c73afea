# Counts words, substitutes, sorts.  usage: words.pl FILE
use strict;
my (%count, $changed);
while (<>) {
    $changed += s/(\d+)/<$1>/g;
    $count{$_}++ for split;
}
my $n = 0;
for my $w (sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count) {
    print "$w $count{$w}\n";
    last if ++$n >= 20;
}
print "$changed\n";

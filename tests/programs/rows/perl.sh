# perl: regexes, hashes, sort, sprintf, fork, pipes, pack, big loops, local modules
perl -e 'my %h; $h{$_ % 13} += $_ for 1..20000; print join(",", map {"$_=$h{$_}"} sort {$a <=> $b} keys %h), "\n";'
perl -e '$_ = "x" x 1000 . "abc123"; print "$1-$2\n" if /([a-c]+)(\d+)$/; (my $t = "hello world") =~ s/(\w+)/\u$1/g; print "$t\n"; printf "%.10g %e %s\n", 1/3, 12345.678, 2**53;'
perl -e 'for my $i (1..3) { my $p = fork; if (!$p) { exit $i } waitpid $p, 0; print $? >> 8, "\n" } open my $f, "-|", "echo from pipe" or die; print <$f>;'
perl -MList::Util=sum,shuffle -MPOSIX=floor,fmod -MData::Dumper -e '$Data::Dumper::Sortkeys=1; $Data::Dumper::Indent=1; print sum(1..100), " ", floor(-1.5), " ", fmod(7.5, 2), "\n", Dumper({a=>[1,2],b=>undef});'
perl -MDigest::SHA=sha256_hex -MMIME::Base64 -e 'print sha256_hex("abc"), " ", encode_base64("perl"); print unpack("H*", pack("NnCd>", 1, 2, 3, 1.5)), "\n"; $SIG{ALRM} = sub { print "alarm\n"; exit 0 }; alarm 1; 1 while 1'

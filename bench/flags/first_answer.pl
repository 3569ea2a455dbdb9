# first_answer.pl PORT METHOD PATH HEADERS BODY COMMAND…: runs the command until its server's first answer with status
# 200, prints the milliseconds from the fork on, and ends it.
use strict;
use warnings;
use IO::Socket::INET;
use Time::HiRes qw(time sleep);

my ($port, $method, $path, $headers, $body, @command) = @ARGV;
my $length = length $body;
my $begun = time;
my $pid = fork // die "fork: $!";
if (!$pid) {
    open STDOUT, '>', '/dev/null';
    exec @command or die "$command[0]: $!";
}
while (time - $begun < 120) {
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 5);
    if ($s) {
        print $s "$method $path HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: $length\r\n$headers\r\n$body";
        my $line = <$s> // '';
        if ($line =~ m{^HTTP/1.1 200 }) {
            printf "%.1f\n", (time - $begun) * 1000;
            kill 'TERM', $pid;
            waitpid $pid, 0;
            exit 0;
        }
    }
    sleep 0.0005;
}
kill 'KILL', $pid;
die "no answer\n";

#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
# tools/bench on the smallest matrix: what it writes has the shape of its schema, its counts are those of
# the plugin, and another plugin that asks the array twice is told from this one. Nothing is said of times.
use v5.36;

use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use JSON::PP qw(decode_json);
use Test::More;

use CommandTest qw(schema_of schema_faults);
use HookTest qw(is_real_pve);

plan(skip_all => 'ONTAP_SIM does not name the simulator') if !length($ENV{ONTAP_SIM} // '');
plan(skip_all => 'the stand-ins are what the other plugin is measured over') if is_real_pve();
my ($arch) = ($ENV{ONTAP_NODE_ARCH} // '') =~ m{\A(.+/tests/perl/arch)\z};
plan(skip_all => 'ONTAP_NODE_ARCH does not name the module for simulated nodes') if !$arch;
my ($root) = abs_path(__FILE__) =~ m{\A(.*)/tests/perl/[^/]+\z};
my $build = $arch =~ s{/tests/perl/arch\z}{}r;
my ($scratch) = tempdir(CLEANUP => 1) =~ /\A(.*)\z/;

my sub read_file ($path) {
    open(my $file, '<', $path) or return '';
    local $/;
    return scalar(readline($file));
}

# Standard output and error, and the status.
my sub bench (@arguments) {
    local $ENV{PATH} = '/usr/bin:/bin';
    delete(local @ENV{qw(IFS CDPATH ENV BASH_ENV)});
    ($ENV{ONTAP_SIM}) = $ENV{ONTAP_SIM} =~ /\A(.*)\z/;
    my ($perl) = $^X =~ /\A(.*)\z/;
    my $pid = open(my $output, '-|') // die "fork: $!\n";
    if (!$pid) {
        open(STDERR, '>&', \*STDOUT);
        exec($perl, "$root/tools/bench", @arguments) or die "exec: $!\n";
    }
    local $/;
    my $text = readline($output) // '';
    close($output);
    return ($text, $? >> 8);
}

my @tiny = ('--build', $build, qw(--runs 1 --process warm --disks 2 --vm-disks 2 --latency 0 --handshake 0 --job 0
    --silence none --no-trace --no-native));
my %this;
my %other;

subtest 'two plugins are measured in turn' => sub {
    my $trees = join(':', "$root/tests/perl/two_polls", $arch, "$build/lib/perl/lib");
    my ($text, $status) = bench(@tiny, qw(--only poll --only allocate-next --only list --only path),
        '--json', "$scratch/none.json");
    isnt($status, 0, 'an operation that is not there is refused') or diag($text);
    like($text, qr/there is no operation 'path'/, 'by its name');
    ($text, $status) = bench(@tiny, qw(--only poll --only allocate-next --only list), '--plugin-lib', $trees,
        '--json', "$scratch/found.json");
    is($status, 0, 'it ends well') or diag($text);
    my $found = decode_json(read_file("$scratch/found.json") || '{}');
    is_deeply([schema_faults($found, schema_of('bench'))], [], 'what it writes is as its schema says');
    for my $cell ($found->{cells}->@*) {
        is($cell->{error}, undef, "$cell->{operation} of $cell->{plugin} works");
        ($cell->{plugin} eq 'this' ? \%this : \%other)->{ $cell->{operation} } = $cell;
    }
    is_deeply([sort(keys(%this))], [qw(allocate-next list poll)], 'what was asked for');
    my %ratio = map { $_->{operation} => $_ } $found->{ratios}->@*;
    is($ratio{poll}{requests}, '2.00', 'who asks twice takes twice the requests');
    my $requests = $this{'allocate-next'}{requests};
    is($ratio{'allocate-next'}{requests}, sprintf('%.2f', ($requests + 1) / $requests),
        'or one more where there are others');
    like($text, qr/^\| poll: check, activate, status +\| warm +\| +2\.00 \|/m, 'and a table says so');
};

subtest 'counts are those of the plugin' => sub {
    is($this{poll}{requests}, 1, 'a poll is one request');
    is($other{poll}{requests}, 2, 'or two');
    is($this{poll}{tls_sessions}, 0, 'over the connection that is there');
    cmp_ok($this{poll}{bytes_sent}, '>', 100, 'the bytes of the answer are counted');
    is($this{poll}{lock_requests}, 0, 'a poll takes no lock');
    cmp_ok($this{'allocate-next'}{lock_requests}, '>', 0, 'an allocation asks under the lock');
    cmp_ok($this{'allocate-next'}{lock_requests}, '<', $this{'allocate-next'}{requests},
        'and for the array itself before it');
};

subtest 'tables and curves of an earlier run go into a document' => sub {
    open(my $document, '>', "$scratch/page.md") or die "page.md: $!\n";
    print {$document} "Before.\n<!-- bench: counts-warm -->\nold\n<!-- bench end -->\nAfter.\n";
    close($document);
    my ($text, $status) = bench('--from', "$scratch/found.json", '--document', "$scratch/page.md");
    is($status, 0, 'it ends well') or diag($text);
    my $page = read_file("$scratch/page.md");
    like($page, qr/\ABefore\.\n<!-- bench: counts-warm -->\n\n\| operation .*\| poll: .*\n\n<!-- bench end -->\nAfter\.\n\z/s,
        'between its marks, and nowhere else');
    unlike($page, qr/old/, 'in place of what was there');
};

# The tool's own arithmetic, on what is known.
require lib;
lib->import("$root/tools/lib");
require Bench::Figures;
require Bench::Plot;

subtest 'a median is what half of the runs stay below, whatever one of them took' => sub {
    my @runs = map { { measures => { microseconds => $_, lock_microseconds => 0, requests => 4 } } } 30, 10, 9000, 20, 40;
    my $figures = Bench::Figures::figures(@runs);
    is_deeply($figures->{microseconds}, { median => 30, low => 20, high => 40, least => 10, most => 9000 }, 'times');
    is($figures->{requests}, 4, 'counts');
    is($figures->{runs}, 5, 'runs');
};

subtest 'of a trace only what is between the marks counts, processes apart from threads' => sub {
    open(my $trace, '>', "$scratch/trace") or die "trace: $!\n";
    print {$trace} <<~'END';
        10 openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3
        10 newfstatat(AT_FDCWD, "/ontapnvme-bench/begin/poll", 0x1, 0) = -1 ENOENT (No such file or directory)
        10 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD) = 11
        10 clone3({flags=CLONE_VM|CLONE_THREAD, exit_signal=0}, 88 <unfinished ...>
        11 execve("/bin/true", ["true"], 0x1) = 0
        10 <... clone3 resumed>) = 12
        10 newfstatat(AT_FDCWD, "/ontapnvme-bench/end/poll", 0x1, 0) = -1 ENOENT (No such file or directory)
        10 close(3) = 0
        END
    close($trace);
    is_deeply(Bench::Figures::traced("$scratch/trace"), { poll => { forks => 1, execs => 1, syscalls => 3 } }, 'counts');
};

subtest 'a curve stands where its values are' => sub {
    my %base = (disks => 1, vm_disks => 3, latency_ms => 0, handshake_ms => 0, job_ms => 0, silence => 'none');
    my @cells = map { {
        plugin => 'this', process => 'warm', operation => 'poll', microseconds => { median => 1000 * $_->[1] },
        array_microseconds => 0, conditions => { %base, latency_ms => $_->[0] },
    } } [0, 0], [10, 5], [20, 10];
    my %plots = Bench::Plot::plots({ cells => \@cells, dimensions => { map { $_ => [$base{$_}] } keys(%base) } });
    is_deeply([keys(%plots)], ['cost-over-latency.svg'], 'one for each dimension with several values');
    like($plots{'cost-over-latency.svg'}, qr/<polyline points="70\.0,390\.0 310\.0,215\.0 550\.0,40\.0" /,
        'from corner to corner');
    like($plots{'cost-over-latency.svg'}, qr{>poll</text>.*</svg>\n\z}s, 'and has its name');
};

done_testing();

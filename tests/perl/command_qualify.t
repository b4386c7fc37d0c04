#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
# `ontapnvme qualify`: a task of probes, each under the lock of the storage, and what is kept of them.
use v5.36;

use FindBin qw($Bin);
use lib map { m{\A(.+)\z} ? "$1/lib" : () } $Bin;

use File::Path qw(make_path);
use File::Temp qw(tempdir);
use JSON::PP qw(decode_json);
use Test::More;

use CommandTest qw(command schema_of schema_faults);

use constant UUID => '11111111-2222-3333-4444-555555555555';

my ($place) = tempdir(CLEANUP => 1) =~ /\A(.*)\z/;
make_path("$place/priv", "$place/run/ontapnvme");
local $ENV{PLACE} = $place;
my $file = "$place/priv/ontapnvme-array-" . UUID . '.json';

my sub probes (@names) {
    return [map { { probe => $_, question => "which $_", steps => '-', positions => ['x'] } } @names];
}
my sub finding ($probe, %more) {
    return {
        probe => $probe, question => "which $probe", position => 'take', svm_uuid => UUID, release => '9.16.1',
        detail => undef, %more,
    };
}
my sub script (%more) {
    return { a => {
        probes => probes('basics', 'restore'), 'run_probe basics' => finding('basics'),
        'run_probe restore' => finding('restore', position => 'refuse', detail => "code 17 \x{e4}"), %more,
    }, b => {} };
}
my sub put ($path, $text) {
    open(my $handle, '>', $path) or die "cannot write '$path': $!\n";
    print {$handle} $text;
    close($handle) or die "cannot write '$path': $!\n";
    return;
}

my ($text, $code);

subtest 'before the first run' => sub {
    ($text, $code) = command(script(), ['qualify', 'a', '--show']);
    is($code, 1, 'there is nothing to show');
    like($text, qr/^nothing is known yet of the array of storage 'a': ontapnvme qualify a$/m, 'and it is said how to know it');
    ($text, $code) = command(script(), ['qualify', 'a']);
    like($text, qr/^2 probes make scratch objects .*\nsay so with --yes$/m, 'it has to be agreed to');
    unlike($text, qr/^task:/m, 'before anything is done');
    ok(!-e $file, 'and nothing is kept');
};

subtest 'a run' => sub {
    ($text, $code) = command(script(), ['qualify', 'a', '--yes']);
    is($code, 0, 'ends well') or diag($text);
    like($text, qr/^task: ontapnvmequalify a root\@pam\nlocked: a\nbasics .*\nlocked: a\nrestore /m,
        'is a task, in which each probe holds the lock by itself');
    like($text, qr/^SVM ${\UUID}, ONTAP 9\.16\.1, asked [0-9-]+ [0-9:]+Z\nbasics +take +which basics$/m, 'shows what it found');
    is((stat($file))[2] & 07777, 0600, 'and keeps it for root only');
};

subtest 'what is kept' => sub {
    ($text, $code) = command({ a => { die => "asked\n" }, b => {} }, ['qualify', 'a', '--show', '--output-format', 'json']);
    is($code, 0, 'is shown') or diag($text);
    my $result = decode_json($text);
    is_deeply([schema_faults($result, schema_of('qualify'))], [], 'as the schema says, and nobody is asked');
    is_deeply($result->{probes}, [
        { probe => 'basics', question => 'which basics', position => 'take' },
        { probe => 'restore', question => 'which restore', position => 'refuse', detail => "code 17 \x{e4}" },
    ], 'with position and detail');
    ($text, $code) = command(script(), ['qualify', 'b', '--show']);
    is($code, 1, 'not for a storage of another SVM');
};

subtest 'another release' => sub {
    my $facts = "$place/run/ontapnvme/a.facts";
    put($facts, "format=1\nrelease=9.16.1\nend=1\n");
    ($text, $code) = command(script(), ['qualify', 'a', '--show']);
    is($code, 0, 'the same one is no complaint');
    put($facts, "format=1\nrelease=9.17.1\nend=1\n");
    ($text, $code) = command(script(), ['qualify', 'a', '--show']);
    is($code, 2, 'a newer one is a warning');
    like($text, qr/ONTAP 9\.17\.1 by now, which may behave otherwise: ontapnvme qualify a$/m, 'with what to do');
    my %newer = (release => '9.17.1');
    command(script('run_probe basics' => finding('basics', %newer), 'run_probe restore' => finding('restore', %newer)),
        ['qualify', 'a', '--yes']);
    ($text, $code) = command(script(), ['qualify', 'a', '--show']);
    is($code, 0, 'until it is asked as well');
    like($text, qr/ONTAP 9\.17\.1, asked/, 'and then it is shown');
    open(my $handle, '<', $file) or die "cannot read '$file': $!\n";
    is_deeply([sort(keys(decode_json(join('', readline($handle)))->{releases}->%*))], ['9.16.1', '9.17.1'],
        'beside what was known of the former');
};

subtest 'what ends a run' => sub {
    my $before = -s $file;
    ($text, $code) = command(
        script('run_probe basics' => { die => "storage 'a': no; security login rest-role create X [permission-denied]\n" }),
        ['qualify', 'a', '--yes']);
    is($code, 1, 'a refusal of what is needed');
    like($text, qr/failed: storage 'a': no; security login rest-role create X \[permission-denied\]$/m, 'is told');
    unlike($text, qr/^restore/m, 'and nothing more is tried');
    ($text, $code) = command(script('run_probe restore' => finding('restore', release => '9.18.1')), ['qualify', 'a', '--yes']);
    is($code, 1, 'an update of the array meanwhile');
    like($text, qr/replaced or updated meanwhile/, 'is told');
    ($text, $code) = command(script('run_probe basics' => finding('basics', svm_uuid => '../x')), ['qualify', 'a', '--yes']);
    is($code, 1, 'what is no UUID');
    is(-s $file, $before, 'and what was kept stays');
};

subtest 'a file that cannot be read' => sub {
    put($file, 'garbage');
    ($text, $code) = command(script(), ['qualify', 'a', '--show']);
    is($code, 1, 'is as good as none');
    ($text, $code) = command(script(), ['qualify', 'a', '--yes']);
    is($code, 0, 'and replaced by the next run') or diag($text);
};

done_testing();

#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use JSON::PP qw(decode_json);
use Test::More;

use CommandTest qw(command put_module schema_of schema_faults);

# The checks have tests of their own; these say what a script tells them to.
for my $of ('Node', 'Storage') {
    my $sub = lc($of) . '_checks';
    put_module("PVE/Storage/OntapNvmeTcp/Checks/$of.pm", <<~"END");
        package PVE::Storage::OntapNvmeTcp::Checks::$of;
        use Exporter qw(import);
        use JSON::PP qw(decode_json);
        our \@EXPORT_OK = qw($sub);
        sub $sub { my (\$id) = \@_; return decode_json(\$ENV{SCRIPT})->{\$id // 'node'}->\@* }
        1;
        END
}
my $fine = { check => 'kernel', outcome => 'ok', text => '6.8.12-4-pve' };
my $warned = { check => 'path', outcome => 'warn', text => 'nvme2 is down | so to say', remedy => 'ping' };
my $failed = { check => 'array', outcome => 'fail', text => 'no answer', remedy => 'curl' };
my $skipped = { check => 'disks', outcome => 'skipped', text => 'not looked at' };

my @cases = (
    ['all is well', { node => [$fine], a => [$fine] }, 0, "ONTAPNVME OK - 2 checks | ok=2 warn=0 fail=0 skipped=0\n"],
    ['a warning', { node => [$fine], a => [$fine, $warned] }, 1, <<~'END'],
        ONTAPNVME WARNING - storage a: path: nvme2 is down / so to say | ok=2 warn=1 fail=0 skipped=0
        warn: storage a: path: nvme2 is down / so to say
        END
    ['failures come first', { node => [$warned], a => [$failed, $skipped] }, 2, <<~'END'],
        ONTAPNVME CRITICAL - storage a: array: no answer (and 1 more) | ok=0 warn=1 fail=1 skipped=1
        fail: storage a: array: no answer
        warn: this node: path: nvme2 is down / so to say
        END
);
for my $case (@cases) {
    my ($name, $script, $exit, $expected) = $case->@*;
    my ($text, $code) = command($script, ['check', 'a']);
    is($text, $expected, $name);
    is($code, $exit, 'with its exit code');
    ($text, $code) = command($script, ['check', 'a', '--output-format', 'json']);
    is_deeply([schema_faults(decode_json($text), schema_of('check'))], [], 'and JSON as the schema says');
    is($code, $exit, 'with the same');
}

my ($text, $code) = command({}, ['check', 'off']);
like($text, qr/\AONTAPNVME UNKNOWN - .*'off'/, 'what cannot be looked at is unknown');
is($code, 3, 'and neither fine nor broken');

done_testing();

#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use JSON::PP qw(decode_json);
use Test::More;

use CommandTest qw(command put_module schema_of schema_faults);

# The kernel's side has tests of its own; here a storage has the paths that its script says.
put_module('PVE/Storage/OntapNvmeTcp/NodePaths.pm', <<~'END');
    package PVE::Storage::OntapNvmeTcp::NodePaths;
    use Exporter qw(import);
    our @EXPORT_OK = qw(paths_of published_paths);
    sub paths_of { return map { { state => $_ } } split(/ /, $ENV{PATHS}) }
    1;
    END
$ENV{PATHS} = 'live connecting';

my $works = {
    capacity => { total_bytes => 100 << 30, used_bytes => 25 << 30, available_bytes => 75 << 30 },
    list => [{ size_bytes => 10 << 30 }, { size_bytes => 5 << 30 }],
    pending => ['something'],
};
my $all = { a => $works, b => { $works->%*, list => { die => "storage 'b': no answer [timed-out]\n" } } };

my ($text, $code) = command({ a => $works }, ['status', 'a']);
is($text, <<~'END', 'one line a storage');
    storage                paths   used GiB     of GiB  disks alloc. GiB pending
    a                        1/2       25.0      100.0      2       15.0       1
    END
is($code, 0, 'a storage that works is no failure');
is(scalar(grep { length > 80 } split(/\n/, $text)), 0, 'in 80 columns');

($text, $code) = command($all, ['status']);
like($text, qr/^b +1\/2 +25\.0 +100\.0 +\? +\? +\?$/m, 'what is not known is no number');
like($text, qr/^storage 'b': no answer \[timed-out\]$/m, 'and the reason is told');
like($text, qr/^a +1\/2 /m, 'beside the others');
is($code, 1, 'as a failure');

{
    local $ENV{PATHS} = 'connecting';
    is((command({ a => $works }, ['status', 'a']))[1], 1, 'a storage without a live path is a failure');
}

($text, $code) = command($all, ['status', '--output-format', 'json']);
my ($json) = $text =~ /^(\[.*\])$/m;
my $result = decode_json($json);
is_deeply([schema_faults($result, schema_of('status'))], [], 'JSON as the schema says');
is_deeply($result->[0], {
    storage => 'a', paths => 2, paths_live => 1, disks => 2, pending => 1,
    total_bytes => 100 << 30, used_bytes => 25 << 30, allocated_bytes => 15 << 30,
}, 'in bytes');

done_testing();

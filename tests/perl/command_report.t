#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use File::Temp qw(tempdir);
use JSON::PP qw(decode_json);
use Test::More;

use CommandTest qw(command put_module schema_of schema_faults);

put_module('PVE/Storage/OntapNvmeTcp/Checks/Node.pm', <<~'END');
    package PVE::Storage::OntapNvmeTcp::Checks::Node;
    use Exporter qw(import);
    our @EXPORT_OK = qw(node_checks);
    sub node_checks { return { check => 'kernel', outcome => 'ok', text => 'fine, with hunter2-hunter2' } }
    1;
    END
put_module('PVE/Storage/OntapNvmeTcp/Checks/Storage.pm', <<~'END');
    package PVE::Storage::OntapNvmeTcp::Checks::Storage;
    use Exporter qw(import);
    our @EXPORT_OK = qw(storage_checks);
    sub storage_checks { die "hunter2-hunter2 was asked\n" if $ENV{BREAK_CHECKS}; return }
    1;
    END
put_module('PVE/Storage/OntapNvmeTcp/NodePaths.pm', <<~'END');
    package PVE::Storage::OntapNvmeTcp::NodePaths;
    use Exporter qw(import);
    our @EXPORT_OK = qw(paths_of published_paths);
    sub paths_of { return { name => 'nvme0', address => '10.0.0.1', state => 'live' } }
    1;
    END
put_module('PVE/Storage/OntapNvmeTcp/Secrets.pm', <<~'END');
    package PVE::Storage::OntapNvmeTcp::Secrets;
    sub load { return { password => 'hunter2-hunter2' } }
    1;
    END

my ($folder) = tempdir(CLEANUP => 1) =~ /\A(.*)\z/;
my sub slurp ($path) {
    open(my $file, '<', $path) or die "cannot read '$path': $!\n";
    local $/;
    return readline($file);
}
my $script = {
    a => { pending => ['volume x says hunter2-hunter2'], explain => [{ part => 'map', name => 'n', value => 'here' }],
        examine => [],
        take_log => [
            { level => 'trace', text => 'GET /api/cluster 200 7 ms' },
            { level => 'warning', text => 'hunter2-hunter2 is the password' },
        ] },
    b => { die => "storage 'b': no answer to hunter2-hunter2\n" },
};

my ($text, $code) = command($script, ['report', '--output', "$folder/one", 'a:vm-1-disk-0']);
is($code, 0, 'it is written');
like($text, qr/^ +\d+ lines  $_$/m, "with $_")
    for qw(versions storages doctor paths journal), 'pending of a', 'pending of b', 'requests to a', 'requests to b', 'disk a:vm-1-disk-0';
like($text, qr/^in \Q$folder\E\/one: read it/m, 'and where it is');
my $report = slurp("$folder/one");
unlike($report, qr/hunter2/, 'no secret is in it');
like($report, qr/^==== doctor\n.*"fine, with \*\*\*"/ms, 'what had one is there without');
like($report, qr/^==== pending of b\ncould not be found out: storage 'b': no answer/m, 'what fails says why');
like($report, qr/^==== disk a:vm-1-disk-0\n.*"here"/ms, 'beside the rest');
like($report, qr/^==== requests to a\ntrace: GET \/api\/cluster 200 7 ms\nwarning: \*\*\* is the password$/m,
    'what was asked, and how fast it was answered');
like($report, qr/^==== requests to b\n/m, 'also of an array that does not answer');
is(sprintf('%o', (stat("$folder/one"))[2] & 0777), '600', "nobody else's to read");

($text, $code) = command($script, ['report', '--output', "$folder/one"]);
like($text, qr/cannot make '\Q$folder\E\/one': File exists/, 'nothing is overwritten');
is($code, 1, 'that is a failure');
like((command($script, ['report', '--output', 'here']))[0], qr/'here' is no absolute path/, 'nor written anywhere');

{
    local $ENV{BREAK_CHECKS} = 1;
    ($text, $code) = command($script, ['report', '--output', "$folder/two", '--output-format', 'json']);
    is_deeply([schema_faults(decode_json($text), schema_of('report'))], [], 'JSON as the schema says');
    like(slurp("$folder/two"), qr/^==== doctor\ncould not be found out: \*\*\* was asked/m, 'nor in an error');
}

done_testing();

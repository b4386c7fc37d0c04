#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use File::Temp qw(tempdir);
use JSON::PP qw(decode_json);
use Test::More;

use CommandTest qw(command program schema_of schema_faults);

my $works = { a => { pending => ['FlexVol x is empty'] }, b => { pending => [] } };
my $fails = { $works->%*, a => { die => "storage 'a': no answer [unavailable]\n" } };

is_deeply([command($works, ['pending'])], ["a: FlexVol x is empty\nb: nothing is pending\n", 0],
    'each one of ours');
is_deeply([command($works, ['pending', 'b'])], ["b: nothing is pending\n", 0],
    'or the one that is named');

my ($text, $code) = command($fails, ['pending']);
like($text, qr/^storage 'a': no answer \[unavailable\]$/m, 'one that does not answer says why');
like($text, qr/^b: nothing is pending$/m, 'the others are shown');
is($code, 1, 'which is a failure');

for my $name (qw(off local nowhere)) {
    ($text, $code) = command($works, ['pending', $name]);
    like($text, qr/^no storage of the type ontapnvme is enabled here under the name '$name'$/m,
        "'$name', which is none of ours here, is refused");
    is($code, 1, 'with a failure');
}

subtest 'as JSON, by its schema' => sub {
    ($text, $code) = command($works, ['pending', '--output-format', 'json']);
    my $result = decode_json($text);
    is_deeply($result, [
        { storage => 'a', pending => ['FlexVol x is empty'] }, { storage => 'b', pending => [] },
    ], 'the same');
    is_deeply([schema_faults($result, schema_of('pending'))], [], 'as the schema says');
    isnt(scalar(schema_faults([{ storage => 'a', other => 1 }], schema_of('pending'))), 0,
        'which would notice something else');
    ($text, $code) = command($fails, ['pending', 'a', '--output-format', 'json']);
    my ($json) = $text =~ /^(\[.*\])$/m;
    is_deeply([schema_faults(decode_json($json), schema_of('pending'))], [], 'and so is a failure');
    is($code, 1, 'which is one here too');
};

subtest 'under its former name' => sub {
    my ($folder) = tempdir(CLEANUP => 1) =~ /\A(.*)\z/;
    symlink(program(), "$folder/pending") or die "cannot link: $!\n";
    is_deeply([command($works, [], name => "$folder/pending")], [command($works, ['pending'])],
        'it prints the same');
    is_deeply([command($works, ['b'], name => "$folder/pending")], ["b: nothing is pending\n", 0],
        'with a name too');
};

subtest 'what it cannot understand' => sub {
    for my $arguments ([], ['nonsense'], ['pending', '--nonsense'], ['pending', '--output-format', 'xml']) {
        ($text, $code) = command($works, $arguments);
        is($code, 255, "'@$arguments' ends with 255");
        like($text, qr/ontapnvme <COMMAND>|ontapnvme pending/, 'and with the usage');
    }
};

done_testing();

#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use JSON::PP qw(decode_json);
use Test::More;

use CommandTest qw(command schema_of schema_faults);

my $moves = {
    'start_move vm-100-disk-0 aggr2' => 'begun',
    where_is => { place => 'aggr1', destination => 'aggr2', percent => 40, state => 'replicating' },
};
my $rests = { where_is => { place => 'aggr2', destination => undef, percent => 100, state => undef } };

my sub moved ($script, @arguments) {
    my ($json, $code) = command({ a => $script }, ['move', 'a:vm-100-disk-0', @arguments, '--output-format', 'json']);
    return ($json, $code) if $code;
    my $result = decode_json($json);
    is_deeply([schema_faults($result, schema_of('move'))], [], 'it is as the schema says');
    return ($result, $code);
}

my ($result) = moved($moves, '--aggregate', 'aggr2');
is_deeply($result,
    {
        volume => 'a:vm-100-disk-0', aggregate => 'aggr1', destination => 'aggr2', percent => 40,
        state => 'replicating',
    }, 'a move begins, and its progress is told');
($result) = moved($rests);
is_deeply($result, { volume => 'a:vm-100-disk-0', aggregate => 'aggr2', percent => 100 },
    'without an aggregate nothing is moved');

my ($text, $code) = command({ a => $moves }, ['move', 'a:vm-100-disk-0', '--aggregate', 'aggr2']);
is($text, <<~'END', 'as text');
    a:vm-100-disk-0 moves from aggregate aggr1 to aggr2: 40 %, replicating
        > ontapnvme move a:vm-100-disk-0
    END
is($code, 0, 'which is no failure');
($text) = command({ a => $rests }, ['move', 'a:vm-100-disk-0']);
is($text, "a:vm-100-disk-0 is on aggregate aggr2\n", 'or where it is');
($text) = command({ a => { where_is => { place => 'aggr1', percent => 100, state => 'failed' } } },
    ['move', 'a:vm-100-disk-0']);
is($text, "a:vm-100-disk-0 is on aggregate aggr1: its last move was not done, failed\n", 'or stayed');

($text, $code) = command({ a => { die => "storage 'a': no [permission-denied]\n" } },
    ['move', 'a:vm-100-disk-0', '--aggregate', 'aggr2']);
is($text, "storage 'a': no [permission-denied]\n", 'a refusal is told');
is($code, 1, 'as a failure');
for my $arguments (['local:x'], ['a:vm-100-disk-0', '--aggregate', 'a b'], ['a:x']) {
    (undef, $code) = command({ a => $moves }, ['move', $arguments->@*]);
    is($code, 1, "$arguments->[-1] is refused");
}

# ---- to another storage

my $disk = 'vm-100-disk-0';
$ENV{CONFIG} = qq({"scsi0":"a:$disk,size=4G","scsi1":"a:vm-100-disk-1","snapshots":{"s1":{"scsi0":"a:$disk"}}});
my @give = ('move', "a:$disk", '--storage', 'b');
my sub give ($a, $b, @more) {
    my $script = { a => $a, b => { identity => 'i', list => [], take_over => 1, $b->%* } };
    ($text, $code) = command($script, [@give, @more]);
    return decode_json($text =~ /^written: (.*)$/m ? $1 : '{}');
}

subtest 'a disk goes to another storage' => sub {
    my $conf = give({ "hand_over $disk b i $disk" => $disk }, { "moved_volumes 100 a:$disk" => [$disk] });
    is($code, 0, 'which works') or diag($text);
    like($text, qr/^task: qmmove 100 root\@pam\nlocked: a\nlocked: b\n/m, 'in a task, under the locks of both');
    is($conf->{scsi0}, "b:$disk,size=4G", 'the configuration follows');
    is($conf->{snapshots}{s1}{scsi0}, "b:$disk", 'also that of a snapshot');
    is($conf->{scsi1}, 'a:vm-100-disk-1', 'the other disk stays');
    like($text, qr/^'a:$disk' is 'b:$disk' now/m, 'it is told');
};

subtest 'under the lowest free name where its own is taken' => sub {
    my $there = [{ volume_name => $disk }, { volume_name => 'base-9000-disk-0/vm-100-disk-1' }];
    my $conf = give({ "hand_over $disk b i vm-100-disk-2" => 'vm-100-disk-2' },
        { list => $there, moved_volumes => [$disk, 'vm-100-disk-2'] });
    is($conf->{scsi0}, 'b:vm-100-disk-2,size=4G', 'which the configuration gets');
    like($text, qr/^'a:$disk' is 'b:vm-100-disk-2' now/m, 'and which is told, whatever was called so before');
};

subtest 'an earlier call had handed it over' => sub {
    my $conf = give({ hand_over => '' }, { moved_volumes => [$disk] });
    is($code, 0, 'it goes on from there') or diag($text);
    is($conf->{scsi0}, "b:$disk,size=4G", 'and the configuration follows');
    local $ENV{CONFIG} = qq({"scsi0":"b:$disk","scsi1":"a:$disk","snapshots":{}});
    $conf = give({ hand_over => '' }, { moved_volumes => [$disk, 'vm-100-disk-3'] });
    like($text, qr/were: b:$disk, b:vm-100-disk-3; look at each/, 'of two that were called so each may be meant');
    is($code, 1, 'that is for the administrator to say');
    unlike($text, qr/^written/m, 'and the configuration stays');
    give({ hand_over => '' }, { moved_volumes => [$disk] });
    is($code, 1, 'one that it knows is another disk');
    unlike($text, qr/^written/m, 'and is not taken for this one');
    $ENV{CONFIG} = qq({"scsi0":"b:$disk","snapshots":{}});
    give({ hand_over => '' }, { moved_volumes => [$disk] });
    is($code, 0, 'all was done');
    unlike($text, qr/^written/m, 'there is nothing to write');
    give({ hand_over => '' }, { moved_volumes => [] });
    like($text, qr/there is no volume 'a:$disk'/, 'it is nowhere');
    is($code, 1, 'which is a failure');
};

subtest 'as JSON, by its schema' => sub {
    give({ hand_over => $disk }, { moved_volumes => [$disk] }, '--output-format', 'json');
    my ($json) = $text =~ /^(\{.*)\z/ms;
    my $given = decode_json($json);
    is_deeply([schema_faults($given, schema_of('move'))], [], 'as the schema says');
    is_deeply($given, { volume => "b:$disk", former => "a:$disk" }, 'what it was and is');
};

subtest 'what is refused' => sub {
    {
        local $ENV{RUNS} = 1;
        give({}, {});
        like($text, qr/while VM 100 runs: shut the VM down, or copy .*'qm disk move'/, 'a VM that runs');
        unlike($text, qr/^task/m, 'before a task begins');
    }
    local $ENV{CONFIG} = $ENV{CONFIG} =~ s/\A\{/{"lock":"backup",/r;
    give({}, {});
    like($text, qr/VM is locked \(backup\)/, 'one that is locked');
    for my $arguments (['--storage', 'a'], ['--storage', 'local'], ['--storage', 'b', '--aggregate', 'x']) {
        ($text, $code) = command({}, ['move', "a:$disk", $arguments->@*]);
        is($code, 1, "@$arguments");
    }
    $ENV{CONFIG} = '{}';
    give({ hand_over => { die => "storage 'a': its disks are on another SVM [unsupported]\n" } }, {});
    like($text, qr/^moving 'a:$disk' to storage 'b' failed: .*on another SVM/m, 'the array');
};

subtest 'a configuration that cannot be written' => sub {
    local $ENV{NO_QUORUM} = 1;
    give({ hand_over => $disk }, { moved_volumes => [$disk] });
    is($code, 1, 'is a failure');
    like($text, qr/'a:$disk' is 'b:$disk' on the array, but not in the configuration of VM 100: no quorum; repeat/,
        'which says what to do');
};

done_testing();

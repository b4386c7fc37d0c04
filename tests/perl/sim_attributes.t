#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use HookTest qw(PLUGIN dirty is_clean error_of said_by set_config);
use SimTest qw(start_array storage added_storage requests);

my $sim = start_array();
my $scfg = added_storage($sim, 'store');
my $storeid = dirty('store');
my $disk = PLUGIN->alloc_image($storeid, $scfg, 100, 'raw', undef, 4096);

my sub get ($name, $attribute) {
    return PLUGIN->get_volume_attribute($scfg, $storeid, dirty($name), dirty($attribute));
}

my sub set ($name, $attribute, $value) {
    return PLUGIN->update_volume_attribute($scfg, $storeid, dirty($name), dirty($attribute),
        dirty($value));
}

# What the array says of the FlexVol of the first disk.
my sub flexvol ($fields) {
    my $reply = $sim->admin('GET', "/api/storage/volumes?name=*vm_100_disk_0&fields=$fields");
    return $reply->{body}{records}[0];
}

subtest 'notes stay what they are' => sub {
    is(get($disk, 'notes'), '', 'none at first');
    for my $notes ("two\nlines", "gr\x{f6}\x{df}e \x{20ac} \x{1F4BE}", q{"quoted" \\ {json}: 'x'},
        ' spaces ', '') {
        set($disk, 'notes', $notes);
        my $read = get($disk, 'notes');
        is($read, $notes, 'as they were set');
        ok(is_clean($read), 'clean');
    }
    like(error_of(sub { set($disk, 'notes', 'x' x 5000) }), qr/$disk.*\[invalid-argument\b/,
        'too long for the array');
    is(get($disk, 'notes'), '', 'then nothing is changed');
    error_of(sub { set('vm-100-disk-7', 'notes', 'x') }, 'not of what is not there');
};

subtest 'a protected volume stays' => sub {
    is(get($disk, 'protected'), 0, 'none is at first');
    set($disk, 'notes', 'keep me');
    set($disk, 'protected', 1);
    is(get($disk, 'protected'), 1, 'protected');
    like(error_of(sub { PLUGIN->free_image($storeid, $scfg, $disk, 0, 'raw') }),
        qr/'$disk'.*\[busy\b/, 'it is not deleted');
    is_deeply([map { [$_->@{qw(notes protected)}] } PLUGIN->list_images($storeid, $scfg)->@*],
        [['keep me', 1]], 'it is there, and the list says why');
    set($disk, 'protected', 0);
    is(get($disk, 'notes'), 'keep me', 'notes are another thing');
};

subtest 'attributes go where the volume goes' => sub {
    set($disk, 'protected', 1);
    my ($name) = PLUGIN->rename_volume($scfg, $storeid, $disk, 101, undef) =~ /\Astore:(.*)\z/;
    is_deeply([get($name, 'notes'), get($name, 'protected')], ['keep me', 1], 'to another owner');
    set($name, 'protected', 0);
    PLUGIN->rename_volume($scfg, $storeid, $name, 100, $disk);
};

subtest 'one identity for the same disks' => sub {
    my $identity = PLUGIN->get_identity($scfg, $storeid);
    ok(length($identity), 'there is one');
    ok(is_clean($identity), 'clean');
    my $same = added_storage($sim, 'same');
    is(PLUGIN->get_identity($same, 'same'), $identity, 'whatever the storage is called');
    my $other = added_storage($sim, 'other', storage_prefix => 'o_');
    isnt(PLUGIN->get_identity($other, 'other'), $identity, 'another for other disks');
};

subtest 'a changed policy reaches disks that are there' => sub {
    set_config({ store => $scfg });
    my $said = said_by(sub {
        PLUGIN->on_update_hook_full($storeid, $scfg, dirty({ qos_policy => 'gold',
            snapshot_autodelete => 1 }), undef, {});
    });
    is_deeply($said, [], 'without a warning');
    my $volume = flexvol('qos.policy.name');
    is($volume->{qos}{policy}{name}, 'gold', 'QoS policy');
    $scfg->{qos_policy} = 'gold';
    PLUGIN->on_update_hook_full($storeid, $scfg, {}, ['qos_policy'], {});
    isnt(flexvol('qos.policy.name')->{qos}{policy}{name} // 'none', 'gold', 'none again');
    delete($scfg->{qos_policy});
    $sim->fault(method => 'PATCH', path => '/storage/volumes', status => 403, times => -1);
    $said = said_by(sub {
        ok(eval { PLUGIN->on_update_hook_full($storeid, $scfg, { qos_policy => 'gold' }, undef,
            {}); 1 },
            'a disk that cannot be changed does not end the update') or diag($@);
    });
    $sim->clear_faults();
    is(scalar($said->@*), 1, 'it is told');
    like($said->[0], qr/\Astorage 'store': .*$disk/, 'by name');
};

subtest 'a volume that is not protected is deleted' => sub {
    is(PLUGIN->free_image($storeid, $scfg, $disk, 0, 'raw'), undef, 'deleted');
    is_deeply([$sim->orphans()], [], 'nothing half-made is on the array');
};

done_testing();

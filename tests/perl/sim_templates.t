#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use HookTest qw(PLUGIN dirty is_clean error_of);
use SimTest qw(start_array added_storage requests);

my $sim = start_array();
# Deleted clones in the recovery queue of the array would keep their parents.
my $scfg = added_storage($sim, 'store', force_delete => 1);
my $storeid = dirty('store');
my $mib = 1024 * 1024;

my sub listed ($vmid = undef) {
    return [sort(map { $_->{volid} } PLUGIN->list_images($storeid, $scfg, $vmid)->@*)];
}

my sub freed ($name) {
    return PLUGIN->free_image($storeid, $scfg, dirty($name), $name =~ /base-[^\/]*\z/ ? 1 : 0,
        'raw');
}

PLUGIN->alloc_image($storeid, $scfg, 100, 'raw', undef, 4096) for 1 .. 2;

subtest 'a disk becomes a base image' => sub {
    my $base = PLUGIN->create_base($storeid, $scfg, dirty('vm-100-disk-0'));
    is($base, 'base-100-disk-0', 'its new name');
    ok(is_clean($base), 'clean');
    is_deeply(listed(), ['store:base-100-disk-0', 'store:vm-100-disk-1'], 'it is listed as such');
    is(PLUGIN->volume_size_info($scfg, $storeid, $base), 4 * $mib, 'and has its size');
    is(PLUGIN->find_free_diskname($storeid, $scfg, 100), 'vm-100-disk-2', 'its number is taken');
    error_of(sub { PLUGIN->volume_size_info($scfg, $storeid, 'vm-100-disk-0') },
        'the old name is gone');
    like(error_of(sub { PLUGIN->create_base($storeid, $scfg, 'vm-100-disk-7') }),
        qr/vm-100-disk-7.*\[not-found\b/, 'not what is not there');
};

my ($clone, $second);

subtest 'linked clones hang on a base image' => sub {
    my $requests = requests($sim, sub {
        $clone = PLUGIN->clone_image($scfg, $storeid, dirty('base-100-disk-0'), dirty(101));
    });
    is($clone, 'base-100-disk-0/vm-101-disk-0', 'the name holds that of the base image');
    ok(is_clean($clone), 'clean');
    cmp_ok($requests, '<=', 9, 'requests of the first of a VM');
    $second = PLUGIN->clone_image($scfg, $storeid, 'base-100-disk-0', 101);
    is($second, 'base-100-disk-0/vm-101-disk-1', 'a second of the same VM');
    is_deeply(listed(101), [map { "store:$_" } $clone, $second],
        'they are listed as they were named');
    my ($size, $format, undef, $parent) = PLUGIN->volume_size_info($scfg, $storeid, $clone);
    is_deeply([$size, $format, $parent], [4 * $mib, 'raw', 'base-100-disk-0'], 'size and parent');
    like(error_of(sub { freed('base-100-disk-0') }), qr/\[busy\b.*vm-101-disk-/,
        'the base image stays');
    like(error_of(sub { PLUGIN->clone_image($scfg, $storeid, 'base-100-disk-7', 101) }),
        qr/base-100-disk-7.*\[not-found\b/, 'not of what is not there');
};

subtest 'a linked clone grows, has snapshots, and becomes a base image in turn' => sub {
    ok(PLUGIN->volume_resize($scfg, $storeid, $clone, 8 * $mib, 0), 'grown');
    is(PLUGIN->volume_size_info($scfg, $storeid, $clone), 8 * $mib, 'by that much');
    PLUGIN->volume_snapshot($scfg, $storeid, $clone, 'snap');
    is_deeply([keys(PLUGIN->volume_snapshot_info($scfg, $storeid, $clone)->%*)], ['snap'],
        'a snapshot');
    PLUGIN->volume_snapshot_delete($scfg, $storeid, $clone, 'snap', 0);
    is(PLUGIN->create_base($storeid, $scfg, dirty($second)), 'base-100-disk-0/base-101-disk-1',
        'a base image that keeps its parent');
    is(PLUGIN->clone_image($scfg, $storeid, 'base-100-disk-0/base-101-disk-1', 102),
        'base-101-disk-1/vm-102-disk-0', 'and has clones');
    is_deeply(listed(102), ['store:base-101-disk-1/vm-102-disk-0'], 'which are listed so');
    freed('base-101-disk-1/vm-102-disk-0');
    freed('base-100-disk-0/base-101-disk-1');
};

subtest 'a disk gets another owner' => sub {
    my $volid = PLUGIN->rename_volume($scfg, $storeid, dirty('vm-100-disk-1'), dirty(103), undef);
    is($volid, 'store:vm-103-disk-0', 'the next free name');
    ok(is_clean($volid), 'clean');
    is_deeply(listed(103), [$volid], 'listed');
    is(PLUGIN->rename_volume($scfg, $storeid, $clone, 103, undef),
        'store:base-100-disk-0/vm-103-disk-1', 'a linked clone keeps its parent');
    is_deeply(listed(101), [], 'the old owner has none');
    like(error_of(sub { PLUGIN->rename_volume($scfg, $storeid, 'vm-103-disk-0', undef,
        'vm-103-disk-1') }),
        qr/vm-103-disk-1.*\[already-exists\b/, 'a name that is taken');
    is(PLUGIN->rename_volume($scfg, $storeid, 'vm-103-disk-0', 'base-1', dirty('vm-104-data.1')),
        'store:vm-104-data.1', 'a name alone');
    is_deeply(listed(104), ['store:vm-104-data.1'], 'tells the owner');
};

subtest 'snapshots have clones as well' => sub {
    PLUGIN->volume_snapshot($scfg, $storeid, 'vm-104-data.1', 'before');
    my $name = PLUGIN->clone_image($scfg, $storeid, dirty('vm-104-data.1'), dirty(105),
        dirty('before'));
    is($name, 'vm-105-disk-0', 'no base image, none in the name');
    is_deeply(listed(105), ['store:vm-105-disk-0'], 'listed');
    like(error_of(sub { PLUGIN->volume_snapshot_delete($scfg, $storeid, 'vm-104-data.1', 'before',
        0) }),
        qr/\[busy\b/, 'the snapshot stays');
    like(error_of(sub { PLUGIN->clone_image($scfg, $storeid, 'vm-104-data.1', 105, 'none') }),
        qr/\[not-found\b.*none/, 'not of a snapshot that is not there');
    freed('vm-105-disk-0');
    PLUGIN->volume_snapshot_delete($scfg, $storeid, 'vm-104-data.1', 'before', 0);
};

subtest 'all can be deleted, clones first' => sub {
    freed($_) for 'base-100-disk-0/vm-103-disk-1', 'base-100-disk-0', 'vm-104-data.1';
    is_deeply(listed(), [], 'none is left');
    is_deeply([$sim->orphans()], [], 'nothing half-made is on the array');
};

done_testing();

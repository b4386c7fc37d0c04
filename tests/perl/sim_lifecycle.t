#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use HookTest qw(PLUGIN dirty is_clean error_of get_file set_config said_by);
use SimTest qw(start_array storage added_storage requests);

my $sim = start_array();
my $scfg = added_storage($sim, 'store');
my $storeid = dirty('store');
my $mib = 1024 * 1024;

subtest 'a storage is added with what the array says' => sub {
    is(get_file('storage/store.pw'), "secret\n", 'the password is stored');
    my $subsystems = $sim->admin('GET', '/api/protocols/nvme/subsystems?fields=name');
    is_deeply([map { $_->{name} } ($subsystems->{body}{records} // [])->@*], ['pve'],
        'the subsystem is there');
    my $section = storage($sim, 'wrong');
    my $error = error_of(sub { PLUGIN->on_add_hook('wrong', $section,
        password => 'not the password') });
    like($error, qr/\Astorage 'wrong': .*\[unauthenticated\b/, 'a wrong password is told');
    unlike($error, qr/not the password/, 'and not repeated');
    is(get_file('storage/wrong.pw'), undef, 'nor stored');
    like(error_of(sub { PLUGIN->on_add_hook('wrong', storage($sim, 'wrong', aggregate => 'none'),
        password => 'secret') }),
        qr/'none'/, 'an aggregate that is not there');
    like(error_of(sub { PLUGIN->on_add_hook('wrong', storage($sim, 'wrong', vserver => 'none'),
        password => 'secret') }),
        qr/'none'/, 'an SVM that is not there');
    like(error_of(sub { PLUGIN->on_add_hook('wrong', storage($sim, 'wrong', vserver => 'svm*'),
        password => 'secret') }),
        qr/'vserver'.*\[invalid-argument\b/, 'a name that would be a pattern');
};

subtest 'a poll of a healthy storage is one request' => sub {
    PLUGIN->status($storeid, $scfg);
    my @status;
    my $requests = requests($sim, sub {
        is(PLUGIN->check_connection($storeid, $scfg), 1, 'connected');
        @status = PLUGIN->status($storeid, $scfg);
    });
    cmp_ok($requests, '<=', 1, 'requests');
    my ($total, $available, $used, $active) = @status;
    is($active, 1, 'active');
    cmp_ok($total, '>', 0, 'total');
    is($available + $used, $total, 'available and used make the total');
    ok(is_clean(\@status), 'clean');
};

# A handshake costs more than a request, so what one process does goes over what it has. Two questions
# that go side by side may need a second connection.
subtest 'a disk lives over one connection or two' => sub {
    PLUGIN->status($storeid, $scfg);
    $sim->clear_log();
    my $name = PLUGIN->alloc_image($storeid, $scfg, 109, 'raw', undef, 4096);
    PLUGIN->volume_snapshot($scfg, $storeid, $name, 'one');
    PLUGIN->volume_snapshot_rollback($scfg, $storeid, $name, 'one');
    PLUGIN->volume_snapshot_delete($scfg, $storeid, $name, 'one');
    PLUGIN->free_image($storeid, $scfg, $name, 0, 'raw');
    my %seen = map { $_->{connection} => 1 } $sim->log();
    cmp_ok(scalar(keys(%seen)), '<=', 2, 'connections');
};

subtest 'volumes are allocated, listed, measured, grown, freed' => sub {
    my @made = map { PLUGIN->alloc_image($storeid, $scfg, dirty(100), dirty('raw'), undef,
        dirty($_)) }
        4096, 527.5, 1024 * 1024;
    is_deeply(\@made, [map { "vm-100-disk-$_" } 0 .. 2], 'names');
    ok(is_clean(\@made), 'clean');
    for my $name (qw(
        vm-100-cloudinit vm-100-state-a-b vm-100-state-a_b vm-100-fleece-0 vm-101-data.1
    )) {
        my ($vmid) = $name =~ /-([0-9]+)-/;
        is(PLUGIN->alloc_image($storeid, $scfg, $vmid, 'raw', dirty($name), 4096), $name, $name);
    }
    like(error_of(sub { PLUGIN->alloc_image($storeid, $scfg, 100, 'raw', 'vm-100-disk-0', 4096) }),
        qr/vm-100-disk-0.*\[already-exists\b/, 'a name that is taken');

    my $images = PLUGIN->list_images($storeid, $scfg);
    is_deeply(
        [sort(map { $_->{volid} } $images->@*)],
        [map { "store:$_" } qw(
            vm-100-cloudinit vm-100-disk-0 vm-100-disk-1 vm-100-disk-2 vm-100-fleece-0
            vm-100-state-a-b vm-100-state-a_b vm-101-data.1
        )],
        'all are listed as they were named',
    );
    ok(is_clean($images), 'clean');
    is_deeply([map { $_->{volid} } PLUGIN->list_images($storeid, $scfg, 101)->@*],
        ['store:vm-101-data.1'], 'by owner');
    is(PLUGIN->find_free_diskname($storeid, $scfg, 100), 'vm-100-disk-3', 'the next free name');

    is(PLUGIN->volume_size_info($scfg, $storeid, 'vm-100-disk-0'), 4 * $mib,
        'a size that is exact');
    is(PLUGIN->volume_size_info($scfg, $storeid, 'vm-100-disk-1'), 540_672,
        'one that Proxmox VE rounds');
    my ($size, $format, $used, $parent, $ctime) = PLUGIN->volume_size_info($scfg, $storeid,
        'vm-100-disk-2');
    is_deeply([$size, $format, $parent], [1024 * $mib, 'raw', undef], 'in list context');
    cmp_ok(abs($ctime - time()), '<', 600, 'made just now');
    ok(PLUGIN->volume_resize($scfg, $storeid, dirty('vm-100-disk-0'), dirty(8 * $mib), 0), 'grown');
    is(PLUGIN->volume_size_info($scfg, $storeid, 'vm-100-disk-0'), 8 * $mib, 'by that much');
    like(error_of(sub { PLUGIN->volume_resize($scfg, $storeid, 'vm-100-disk-0', 4 * $mib, 0) }),
        qr/vm-100-disk-0/,
        'never smaller');

    like(error_of(sub { PLUGIN->on_delete_hook($storeid, $scfg) }), qr/\[busy\b/,
        'a storage with disks stays');
    for my $image ($images->@*) {
        my ($name) = $image->{volid} =~ /\Astore:(.*)\z/;
        is(PLUGIN->free_image($storeid, $scfg, dirty($name), 0, 'raw'), undef, "$name is freed");
    }
    is_deeply(PLUGIN->list_images($storeid, $scfg), [], 'none is left');
    said_by(sub {
        is(PLUGIN->free_image($storeid, $scfg, 'vm-100-disk-0', 0, 'raw'), undef,
            'freeing it again is no error');
    });
    error_of(sub { PLUGIN->volume_size_info($scfg, $storeid, 'vm-100-disk-0') },
        'it has no size any more');
    is_deeply([$sim->orphans()], [], 'nothing half-made is on the array');
};

subtest 'the budgets of an allocation and a deletion are kept' => sub {
    PLUGIN->alloc_image($storeid, $scfg, 200, 'raw', undef, 4096);
    cmp_ok(requests($sim, sub { PLUGIN->alloc_image($storeid, $scfg, 200, 'raw', undef, 4096) }),
        '<=', 5,
        'the second disk of a VM');
    cmp_ok(requests($sim, sub { PLUGIN->list_images($storeid, $scfg) }), '<=', 2, 'a list');
    cmp_ok(requests($sim, sub { PLUGIN->free_image($storeid, $scfg, 'vm-200-disk-0') }), '<=', 4,
        'a deletion');
    # Its group goes with it, on an array where an empty one would stay.
    cmp_ok(requests($sim, sub { PLUGIN->free_image($storeid, $scfg, 'vm-200-disk-1') }), '<=', 6,
        'the deletion of the last disk of a VM');
};

subtest 'what costs no request' => sub {
    is(requests($sim, sub {
        PLUGIN->path($scfg, 'vm-100-disk-0', $storeid);
        PLUGIN->parse_volname('vm-100-disk-0');
        PLUGIN->volume_has_feature($scfg, 'snapshot', $storeid, 'vm-100-disk-0');
        PLUGIN->qemu_blockdev_options($scfg, $storeid, 'vm-100-disk-0');
        PLUGIN->map_volume($storeid, $scfg, 'vm-100-disk-0');
        PLUGIN->deactivate_volume($storeid, $scfg, 'vm-100-disk-0');
    }), 0, 'names, paths, features, and leaving what is not active');
};

subtest 'a node without NVMe says so in one line' => sub {
    plan(skip_all => 'this machine has NVMe over fabrics') if -e '/dev/nvme-fabrics';
    PLUGIN->alloc_image($storeid, $scfg, 300, 'raw', 'vm-300-disk-0', 4096);
    my $error;
    said_by(sub { $error = error_of(sub { PLUGIN->activate_volume($storeid, $scfg,
        dirty('vm-300-disk-0')) }) });
    like($error, qr/\Astorage 'store': .*vm-300-disk-0.* \[[a-z-]+[],]/, 'names the volume');
    ok(!-e PLUGIN->path($scfg, 'vm-300-disk-0', $storeid), 'there is no link');
    ok(PLUGIN->deactivate_volume($storeid, $scfg, 'vm-300-disk-0'), 'deactivating is no error');
    PLUGIN->free_image($storeid, $scfg, 'vm-300-disk-0');
};

subtest 'a storage is removed with all its secrets' => sub {
    PLUGIN->on_delete_hook($storeid, $scfg);
    is(get_file('storage/store.pw'), undef, 'gone');
};

done_testing();

#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use HookTest qw(PLUGIN is_real_pve load_pve scfg set_config said_by);
use SimTest qw(start_array added_storage);

# The functions of Proxmox VE that call the hooks, as its API and its guests call them: with the
# checks and the contexts that only they have.
plan(skip_all => 'PVE_PERL5LIB does not name the modules of Proxmox VE') if !is_real_pve();

my $sim = start_array();
load_pve();
added_storage($sim, 'store');

my $config = PVE::Storage::Plugin->parse_config('storage.cfg', <<~"END");
    ontapnvme: store
    \tmgmt_ip 127.0.0.1:${\$sim->port()}
    \tusername admin
    \tvserver svm1
    \tsubsystem pve
    \taggregate aggr1
    \tcontent images,rootdir
    \tforce_delete 1
    END
set_config($config->{ids});

# There is no cluster here, and no host side of the fabric.
{
    no warnings qw(once redefine);
    *PVE::Cluster::cfs_lock_storage = sub { my ($id, $timeout, $code,
        @arguments) = @_; return $code->(@arguments) };
    *PVE::Cluster::get_vmlist = sub { return { ids => { 100 => { type => 'qemu',
        node => 'here' } } } };
    *PVE::INotify::nodename = sub { return 'here' };
    *PVE::Storage::Custom::OntapNvmeTcpPlugin::activate_storage = sub { return 1 };
}

my @volids;

subtest 'the section is what the plugin expects' => sub {
    my $section = PVE::Storage::storage_config($config, 'store');
    is($section->{shared}, 1, 'shared');
    is_deeply($section->{content}, { images => 1, rootdir => 1 }, 'content');
    is(PVE::Storage::storage_check_enabled($config, 'store', undef, 1) ? 1 : 0, 1, 'enabled');
};

subtest 'volumes' => sub {
    push(@volids, PVE::Storage::vdisk_alloc($config, 'store', 100, 'raw', undef, 4096));
    push(@volids, PVE::Storage::vdisk_alloc($config, 'store', 100, 'raw', undef, 527.5));
    push(@volids,
        PVE::Storage::vdisk_alloc($config, 'store', 100, 'raw', 'vm-100-cloudinit', 4096));
    is_deeply(\@volids, ['store:vm-100-disk-0', 'store:vm-100-disk-1', 'store:vm-100-cloudinit'],
        'allocated');
    my $list = PVE::Storage::vdisk_list($config, 'store', 100);
    is_deeply([sort(map { $_->{volid} } $list->{store}->@*)], [sort(@volids)], 'listed');
    is(scalar(PVE::Storage::volume_size_info($config, $volids[0], 5)), 4 * 1024 * 1024, 'measured');
    my $volumes = PVE::Storage::volume_list($config, 'store', 100, 'images');
    is_deeply([map { $_->{content} } $volumes->@*], [('images') x 3], 'in the content tab');
    ok(PVE::Storage::volume_resize($config, $volids[0], 8 * 1024 * 1024, 0), 'grown');
    is(scalar(PVE::Storage::volume_size_info($config, $volids[0], 5)), 8 * 1024 * 1024,
        'by that much');
};

subtest 'paths and features' => sub {
    my ($path, $owner, $vtype) = PVE::Storage::path($config, $volids[0]);
    like($path, qr{/store/vm-100-disk-0\z}, 'path');
    is_deeply([$owner, $vtype], [100, 'images'], 'owner and type');
    like(PVE::Storage::path($config, $volids[0], 'snap'), qr{/vm-100-disk-0\@snap\z},
        'of a snapshot');
    ok(PVE::Storage::volume_has_feature($config, 'snapshot', $volids[0]), 'snapshot');
    ok(PVE::Storage::volume_has_feature($config, 'copy', $volids[0], 'snap'),
        'a copy of a snapshot');
    ok(!PVE::Storage::volume_has_feature($config, 'clone', $volids[0]),
        'no linked clone of a disk');
    is_deeply(
        [PVE::Storage::volume_transfer_formats($config, $volids[0], $volids[0], undef, undef, 0)],
        ['raw+size'], 'a stream');
    is_deeply(
        [PVE::Storage::volume_transfer_formats($config, $volids[0], $volids[0], undef, undef,
            ['snap'])],
        [], 'but not with snapshots');
    is_deeply([PVE::Storage::parse_volname($config, $volids[0])],
        ['images', 'vm-100-disk-0', 100, undef, undef, 0, 'raw'], 'parsed');
    ok(!PVE::Storage::volume_is_base_and_used($config, $volids[0]), 'no base image');
    if (my $options = PVE::Storage->can('qemu_blockdev_options')) {
        is_deeply($options->($config, $volids[0], 'pc-i440fx-10.0', {}),
            { driver => 'host_device', filename => $path },
            'for QEMU, with nothing that is not allowed');
    }
};

subtest 'snapshots' => sub {
    PVE::Storage::volume_snapshot($config, $_, 'first') for @volids[0, 1];
    PVE::Storage::volume_snapshot($config, $_, 'second') for @volids[0, 1];
    my $blockers = [];
    ok(eval { PVE::Storage::volume_rollback_is_possible($config, $volids[0], 'first',
        $blockers); 1 }, 'to the first') or diag($@);
    is_deeply($blockers, [], 'without blockers');
    for my $snap (qw(first second)) {
        PVE::Storage::volume_snapshot_rollback($config, $_, $snap) for @volids[0, 1];
    }
    PVE::Storage::volume_snapshot_delete($config, $_, 'second', 0) for @volids[0, 1];
    PVE::Storage::volume_snapshot_delete($config, $_, 'first', 1) for @volids[0, 1];
    is_deeply(PVE::Storage::volume_snapshot_info($config, $volids[0]), {}, 'all gone');
};

subtest 'templates, linked clones, another owner' => sub {
    my $disk = PVE::Storage::vdisk_alloc($config, 'store', 200, 'raw', undef, 4096);
    my $base = PVE::Storage::vdisk_create_base($config, $disk);
    is($base, 'store:base-200-disk-0', 'a base image');
    my $clone = PVE::Storage::vdisk_clone($config, $base, 201);
    is($clone, 'store:base-200-disk-0/vm-201-disk-0', 'a linked clone');
    ok(PVE::Storage::volume_is_base_and_used($config, $base), 'the base image is in use');
    ok(!eval { PVE::Storage::vdisk_free($config, $base); 1 }, 'and stays');
    like("$@", qr/still in use by linked clones/, 'as Proxmox VE says');
    my $moved = PVE::Storage::rename_volume($config, $clone, 202);
    is($moved, 'store:base-200-disk-0/vm-202-disk-0', 'the clone gets another owner');
    is(PVE::Storage::rename_volume($config, $moved, undef, 'vm-203-disk-5'),
        'store:base-200-disk-0/vm-203-disk-5', 'a name alone has the owner in it');
    $moved = 'store:base-200-disk-0/vm-203-disk-5';
    my $list = PVE::Storage::vdisk_list($config, 'store', 203);
    is_deeply([map { $_->{volid} } $list->{store}->@*], [$moved], 'listed');
    ok(!eval { PVE::Storage::rename_snapshot($config, $moved, 'a', 'b'); 1 },
        'snapshots keep their names')
        if PVE::Storage->can('rename_snapshot');
    PVE::Storage::vdisk_free($config, $_) for $moved, $base;
};

subtest 'attributes and identity' => sub {
    # Asks what the user of the API may do.
    no warnings qw(once redefine);
    local *PVE::Storage::get_max_protected_backups = sub { return -1 };
    PVE::Storage::update_volume_attribute($config, $volids[0], 'notes', "two\nlines");
    is(PVE::Storage::get_volume_attribute($config, $volids[0], 'notes'), "two\nlines", 'notes');
    PVE::Storage::update_volume_attribute($config, $volids[0], 'protected', 1);
    is(PVE::Storage::get_volume_attribute($config, $volids[0], 'protected'), 1, 'protected');
    ok(!eval { PVE::Storage::vdisk_free($config, $volids[0]); 1 }, 'and not deleted');
    like("$@", qr/\[busy\b/, 'told why');
    PVE::Storage::update_volume_attribute($config, $volids[0], 'protected', 0);
    ok(length(PLUGIN->get_identity($config->{ids}{store}, 'store')), 'identity');
};

subtest 'status, as pvestatd asks for it' => sub {
    my $info = PVE::Storage::storage_info($config);
    is($info->{store}{active}, 1, 'active');
    cmp_ok($info->{store}{total}, '>', $info->{store}{used}, 'with its capacity');
};

subtest 'a volume without a device' => sub {
    plan(skip_all => 'this machine has NVMe over fabrics') if -e '/dev/nvme-fabrics';
    my $error;
    said_by(sub {
        eval { PVE::Storage::activate_volumes($config, [$volids[0]]) };
        $error = $@;
    });
    like($error, qr/storage 'store': .*vm-100-disk-0.* \[[a-z-]+[],]/, 'cannot be activated');
    ok(eval { PVE::Storage::deactivate_volumes($config, \@volids); 1 }, 'but deactivated')
        or diag($@);
};

subtest 'deleting' => sub {
    PVE::Storage::vdisk_free($config, $_) for @volids;
    is_deeply(PVE::Storage::vdisk_list($config, 'store', 100)->{store}, [], 'all gone');
};

subtest 'the API adds, changes and removes a storage' => sub {
    eval { require PVE::API2::Storage::Config; 1 } or plan(skip_all => "the API does not load: $@");
    require Storable;
    my $written = { ids => {} };
    no warnings qw(once redefine);
    local *PVE::Storage::lock_storage_config = sub { my ($code, $text) = @_; return $code->() };
    local *PVE::Storage::config = sub { return Storable::dclone($written) };
    local *PVE::Storage::write_config = sub { $written = Storable::dclone($_[0]); return };
    local *PVE::AccessControl::remove_storage_access = sub { return };

    my %fixed = (mgmt_ip => '127.0.0.1:' . $sim->port(), username => 'admin', vserver => 'svm1',
        subsystem => 'pve', aggregate => 'aggr1');
    my $ca = HookTest::get_file('storage/store.ca.pem');
    HookTest::put_file('storage/other.ca.pem', $ca);
    my $api = 'PVE::API2::Storage::Config';

    ok(!eval { $api->create({ type => 'ontapnvme', storage => 'other', %fixed }); 1 },
        'not without a password');
    like("$@", qr/--password/, 'told');
    ok(!eval { $api->create({ type => 'ontapnvme', storage => 'other', %fixed,
        password => 'wrong' }); 1 },
        'not with a wrong one');
    like("$@", qr/\[unauthenticated\b/, 'told');
    is_deeply($written->{ids}, {}, 'nothing is written');
    is(HookTest::get_file('storage/other.pw'), undef, 'nor stored');

    ok(eval { $api->create({ type => 'ontapnvme', storage => 'other', %fixed,
        password => 'secret' }); 1 }, 'added')
        or diag("$@");
    is($written->{ids}{other}{shared}, 1, 'shared from the start');
    ok(!exists($written->{ids}{other}{password}), 'the password is not in storage.cfg');
    is(HookTest::get_file('storage/other.pw'), "secret\n", 'but stored');

    ok(eval { $api->update({ storage => 'other', force_delete => 1, qos_policy => 'gold' }); 1 },
        'changed') or diag("$@");
    is($written->{ids}{other}{qos_policy}, 'gold', 'written');
    ok(!eval { $api->update({ storage => 'other', adaptive_qos_policy => 'adaptive1' }); 1 },
        'not both policies');
    ok(!eval { $api->update({ storage => 'other', subsystem => 'x' }); 1 }, 'not what is fixed');
    ok(!eval { $api->update({ storage => 'other', vserver => 'svm2' }); 1 }, 'not another SVM');
    ok(!eval { $api->update({ storage => 'other', password => 'wrong' }); 1 },
        'not to a wrong password');
    is(HookTest::get_file('storage/other.pw'), "secret\n", 'the right one stays');
    ok(eval { $api->update({ storage => 'other', delete => 'qos_policy,force_delete' }); 1 },
        'settings deleted') or diag("$@");
    ok(!exists($written->{ids}{other}{qos_policy}), 'written');
    if (PLUGIN->api() >= 13) {
        ok(eval { $api->update({ storage => 'other', qos_policy => 'gold' }); 1 }, 'one policy')
            or diag("$@");
        ok(eval { $api->update({ storage => 'other', delete => 'qos_policy',
            adaptive_qos_policy => 'adaptive1' }); 1 },
            'replaced by the other in one step') or diag("$@");
    }
    ok(eval { $api->update({ storage => 'other', shared => 0 }); 1 },
        'not shared, as configured') or diag("$@");
    is($written->{ids}{other}{shared}, 0, 'written');

    ok(eval { $api->delete({ storage => 'other' }); 1 }, 'removed') or diag("$@");
    is_deeply($written->{ids}, {}, 'written');
    is(HookTest::get_file('storage/other.pw'), undef, 'the password is gone');
};

done_testing();

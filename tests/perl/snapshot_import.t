#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
# Snapshots of the array as images to import: what they are called, who may see them, and that nothing
# but an import can use one.
use v5.36;

use Test::More;

use FakeNative qw(answer made);
use HookTest qw(PLUGIN scfg dirty is_clean error_of put_file load_pve);

put_file('storage/store.pw', "secret\n");
load_pve();

my $scfg = dirty(scfg(snapshot_import => 1, content => { images => 1, import => 1 }));
my $storeid = dirty('store');
my $links = $PVE::Storage::OntapNvmeTcp::VolumeName::link_directory;

my sub snapshot ($array_name, $name, $kind, @disks) {
    return {
        vmid => 100, array_name => $array_name, name => $name, kind => $kind,
        shown_as => $name // "~$array_name", create_time_s => 1_700_000_000, locked_until_s => undef,
        is_on_all_disks => 1,
        disks => [map { {
            volume_name => $_, id => 'id', create_time_s => 1_700_000_000, size_bytes => 4096,
            disk_size_bytes => 2**30,
        } } @disks],
    };
}
my @snapshots = (
    snapshot('pve_snap_s1', 's1', 'proxmox', 'vm-100-disk-0', 'vm-100-disk-1'),
    snapshot('hourly.2023-11-14_2213', undef, 'schedule', 'base-200-disk-0/vm-100-disk-0'),
    snapshot('pve_base', undef, 'template', 'base-100-disk-2'),
    { snapshot('of somebody', undef, 'other', 'vm-100-disk-0')->%*, shown_as => undef },
);
answer(list_vm_snapshots => sub ($vmid) { [@snapshots] });
answer(activate_snapshot => sub ($volume, $snapshot) { "$links/store/$volume\@$snapshot" });

my $own = 'vm-100-disk-0@2023-11-14_221320Z@s1';
my $hourly = 'vm-100-disk-0@2023-11-14_221320Z@~hourly.2023-11-14_2213';

subtest 'the Import tab lists them' => sub {
    my $images = PLUGIN->list_volumes($storeid, $scfg, undef, ['import']);
    is_deeply([map { $_->{volid} } $images->@*],
        ["store:$own", 'store:vm-100-disk-1@2023-11-14_221320Z@s1', "store:$hourly"],
        'each disk of each, but not of a template, nor what cannot be shown');
    is_deeply($images->[0], {
        volid => "store:$own", content => 'import', format => 'raw', vmid => 100, size => 2**30,
        used => 4096, ctime => 1_700_000_000,
    }, 'with what Proxmox VE shows');
    ok(is_clean($images), 'clean');
    is_deeply(made(sub { PLUGIN->list_volumes($storeid, $scfg, '100', ['import']) }),
        [['list_vm_snapshots', 100]], 'those of one VM');
};

subtest 'only where somebody wants them' => sub {
    is_deeply(made(sub {
        is_deeply(PLUGIN->list_volumes($storeid, scfg(), undef, ['import']), [], 'not without the setting');
        no warnings qw(once redefine);
        local *PVE::Storage::APIVER = sub { 11 };
        is_deeply(PLUGIN->list_volumes($storeid, $scfg, undef, ['import']), [],
            'not where nothing keeps QEMU from writing to one');
    }), [], 'and nobody is asked');
};

subtest 'they belong to the VM' => sub {
    for my $name ($own, $hourly) {
        is_deeply([PLUGIN->parse_volname(dirty($name))], ['images', $name, 100, undef, undef, 0, 'raw'],
            "$name is an image of it");
        ok(is_clean([PLUGIN->parse_volname(dirty($name))]), 'clean');
    }
    for my $name ('vm-100-disk-0@s1', 'vm-100-disk-0@2023-11-14_221320Z@../x', 'x@2023-11-14_221320Z@s1',
        'vm-100-disk-0@2023-11-14_221320Z@~~x', 'vm-100-disk-0@2023-11-14_221320Z@', "$own\n",
        'a/vm-100-disk-0@2023-11-14_221320Z@s1', 'vm-100-disk-0@2023-11-14_221320Z@s1@s2')
    {
        error_of(sub { PLUGIN->parse_volname($name) }, "'$name' is no name of one");
    }
};

subtest 'attaching one' => sub {
    my $made = made(sub {
        like(error_of(sub { PLUGIN->activate_volume($storeid, $scfg, $own, undef, {}) }),
            qr/cannot attach '\Q$own\E'.*import/, 'is refused, and the message says what to do');
        for my $use (
            sub { PLUGIN->qemu_blockdev_options($scfg, $storeid, $own, 'pc', {}) },
            sub { PLUGIN->map_volume($storeid, $scfg, $own, undef, {}) },
            sub { PLUGIN->activate_volume($storeid, $scfg, $own, 's1', {}) },
            sub { PLUGIN->path($scfg, $own, $storeid, 's1') },
        ) {
            like(error_of($use), qr/is a snapshot, which can be imported and nothing else/, 'by all ways');
        }
    });
    is_deeply($made, [], 'and nothing is asked of the array');
};

subtest 'whatever else could change it or the disk' => sub {
    my $made = made(sub {
        for my $change (
            sub { PLUGIN->free_image($storeid, $scfg, $own, 0, 'raw') },
            sub { PLUGIN->volume_resize($scfg, $storeid, $own, 2**31, 0) },
            sub { PLUGIN->create_base($storeid, $scfg, $own) },
            sub { PLUGIN->clone_image($scfg, $storeid, $own, 101) },
            sub { PLUGIN->rename_volume($scfg, $storeid, $own, 101) },
            sub { PLUGIN->volume_snapshot($scfg, $storeid, $own, 's2') },
            sub { PLUGIN->volume_snapshot_delete($scfg, $storeid, $own, 's2') },
            sub { PLUGIN->volume_snapshot_rollback($scfg, $storeid, $own, 's2') },
            sub { PLUGIN->alloc_image($storeid, $scfg, 100, 'raw', $own, 4) },
            sub { PLUGIN->update_volume_attribute($scfg, $storeid, $own, 'notes', 'x') },
        ) {
            like(error_of($change), qr/is a snapshot, which can be imported and nothing else/, 'is refused');
        }
    });
    is_deeply([grep { $_->[0] !~ /\A(?:un)?lock\z/ } $made->@*], [], 'before anything is asked');
    for my $feature (qw(snapshot clone template rename sparseinit)) {
        ok(!PLUGIN->volume_has_feature($scfg, $feature, $storeid, $own), "there is no $feature");
    }
};

subtest 'importing one' => sub {
    is(scalar(PLUGIN->volume_size_info($scfg, $storeid, $hourly, 10)), 2**30, 'its size is the disk\'s');
    ok(PLUGIN->volume_has_feature($scfg, 'copy', $storeid, dirty($hourly), undef, 1), 'it can be copied');
    like(error_of(sub { PLUGIN->activate_volume($storeid, $scfg, $own, undef, {}) }), qr/cannot attach/,
        'another one cannot be used for that');
    mkdir($_) for $links, "$links/store";
    open(my $device, '>', "$links/store/vm-100-disk-0\@~hourly.2023-11-14_2213") or die "device: $!\n";
    truncate($device, 3 << 20) or die "device: $!\n";
    is(scalar(PLUGIN->volume_size_info($scfg, $storeid, $hourly, 10)), 3 << 20,
        'while it is imported its size is that of the snapshot');
    is_deeply(made(sub { PLUGIN->activate_volume($storeid, $scfg, dirty($hourly), undef, {}) }),
        [['list_vm_snapshots', 100], ['activate_snapshot', 'vm-100-disk-0', '~hourly.2023-11-14_2213']],
        'then it becomes a device');
    is(scalar(PLUGIN->path($scfg, $hourly, $storeid)), "$links/store/vm-100-disk-0\@~hourly.2023-11-14_2213",
        'which is where path says');
    is_deeply(made(sub { PLUGIN->deactivate_volume($storeid, $scfg, $hourly, undef, {}) }),
        [['deactivate_snapshot', 'vm-100-disk-0', '~hourly.2023-11-14_2213']], 'and ends');
    like(error_of(sub { PLUGIN->activate_volume($storeid, $scfg, $hourly, undef, {}) }), qr/cannot attach/,
        'once: afterwards the same process cannot attach it');
    PLUGIN->volume_has_feature($scfg, 'copy', $storeid, $hourly, undef, 1);
    my $error = HookTest::in_child(sub {
        return eval { PLUGIN->activate_volume($storeid, $scfg, $hourly, undef, {}); 'activated' } // $@;
    });
    like($error, qr/cannot attach/, 'nor another one that has not asked');
};

subtest 'one that was taken anew since' => sub {
    PLUGIN->volume_has_feature($scfg, 'copy', $storeid, $own);
    $_->{create_time_s}++ for $snapshots[0]{disks}->@*;
    my $made = made(sub {
        like(error_of(sub { PLUGIN->activate_volume($storeid, $scfg, $own, undef, {}) }),
            qr/cannot find the snapshot behind/, 'is not taken for it');
        error_of(sub { PLUGIN->volume_size_info($scfg, $storeid, $own, 10) });
    });
    is_deeply([grep { $_->[0] ne 'list_vm_snapshots' } $made->@*], [], 'no device is made');
};

done_testing();

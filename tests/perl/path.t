#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use HookTest qw(PLUGIN scfg dirty is_clean error_of set_config);

my $links = $PVE::Storage::OntapNvmeTcp::VolumeName::link_directory;
my $scfg = dirty(scfg());

subtest 'a path is made of the names alone' => sub {
    for my $name (qw(
        vm-100-disk-0 base-100-disk-0 vm-100-cloudinit vm-100-state-snap-1 vm-100-fleece-0
    )) {
        my $path = PLUGIN->path($scfg, dirty($name), dirty('store'));
        is($path, "$links/store/$name", "$name, scalar");
        ok(is_clean($path), "$name: clean");
        my @path = PLUGIN->path($scfg, dirty($name), dirty('store'));
        is_deeply(\@path, ["$links/store/$name", 100, 'images'], "$name, list");
        ok(is_clean(\@path), "$name: clean");
    }
    is($PVE::Storage::OntapNvmeTcp::VolumeName::link_directory =~ s/.*/\/dev\/ontapnvme/r,
        '/dev/ontapnvme',
        'the folder in use is a test\'s');
};

subtest 'a linked clone has the path of its leaf, which no other volume has' => sub {
    my @path = PLUGIN->path($scfg, 'base-100-disk-0/vm-101-disk-0', 'store');
    is_deeply(\@path, ["$links/store/vm-101-disk-0", 101, 'images'], 'path and owner');
};

subtest 'a snapshot has a path of its own, never that of the live disk' => sub {
    for my $snap (qw(before vzdump __base__ a-b_c)) {
        my ($path) = PLUGIN->path($scfg, dirty('vm-100-disk-0'), dirty('store'), dirty($snap));
        is($path, "$links/store/vm-100-disk-0\@$snap", $snap);
        ok(is_clean($path), "$snap: clean");
    }
};

subtest 'nothing that could leave the folder or an option list gets into a path' => sub {
    for my $snap ('', '.', '../x', 'a/b', 'a,b', "a\n", 'a b') {
        error_of(sub { PLUGIN->path($scfg, 'vm-100-disk-0', 'store', $snap) });
    }
    for my $storeid ('', 'x', '../x', 'a/b', "store\n", undef) {
        error_of(sub { PLUGIN->path($scfg, 'vm-100-disk-0', $storeid) });
    }
    unlike(PLUGIN->path($scfg, 'vm-100-disk-0', 'store'), qr/[,:\s]/, 'none of these is in a path');
};

subtest 'map_volume returns the path, unmap_volume does nothing' => sub {
    my $path = PLUGIN->map_volume(dirty('store'), $scfg, dirty('vm-100-disk-0'), undef, {});
    is($path, "$links/store/vm-100-disk-0", 'path');
    ok(is_clean($path), 'clean');
    $path = PLUGIN->map_volume(dirty('store'), $scfg, dirty('vm-100-disk-0'), dirty('snap'));
    is($path, "$links/store/vm-100-disk-0\@snap", 'never the live disk for a snapshot');
    ok(is_clean($path), 'clean');
    is(PLUGIN->unmap_volume('store', $scfg, 'vm-100-disk-0'), 1, 'unmap');
};

subtest 'QEMU gets a host device' => sub {
    my $options = PLUGIN->qemu_blockdev_options($scfg, dirty('store'), dirty('vm-100-disk-0'),
        'pc-i440fx-10.0', {});
    is_deeply($options, { driver => 'host_device', filename => "$links/store/vm-100-disk-0" },
        'as it is allowed');
    ok(is_clean($options), 'clean');
    $options = PLUGIN->qemu_blockdev_options($scfg, 'store', 'vm-100-disk-0', undef,
        { 'snapshot-name' => 'snap' });
    is($options->{filename}, "$links/store/vm-100-disk-0\@snap", 'a snapshot is not the live disk');
    $options = PLUGIN->qemu_blockdev_options($scfg, 'store', 'vm-100-disk-0');
    ok($options->{filename}, 'older callers pass less');
};

subtest 'without a storage id the section is looked up' => sub {
    set_config({
        store => scfg(),
        other => scfg(vserver => 'other'),
        local => { type => 'dir', path => '/var/lib/vz' },
    });
    my @path = PLUGIN->filesystem_path(dirty(scfg()), dirty('vm-100-disk-0'));
    is_deeply(\@path, ["$links/store/vm-100-disk-0", 100, 'images'], 'found');
    is(PLUGIN->filesystem_path(scfg(vserver => 'other'), 'vm-100-disk-0'),
        "$links/other/vm-100-disk-0", 'the other');
    is(PLUGIN->filesystem_path(scfg(), 'vm-100-disk-0', 'snap'), "$links/store/vm-100-disk-0\@snap",
        'a snapshot');
    like(error_of(sub { PLUGIN->filesystem_path(scfg(vserver => 'unknown'), 'vm-100-disk-0') }),
        qr/without its storage id/, 'not configured');
    set_config({ one => scfg(), two => scfg() });
    error_of(sub { PLUGIN->filesystem_path(scfg(), 'vm-100-disk-0') }, 'two that are alike');
};

done_testing();

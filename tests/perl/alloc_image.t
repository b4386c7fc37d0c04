#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use FakeNative qw(calls_of answer native_error);
use HookTest qw(PLUGIN scfg dirty is_clean error_of put_file get_file);

put_file('storage/store.pw', "secret\n");

my $scfg = dirty(scfg());
my $storeid = dirty('store');

my sub allocated (@arguments) {
    my @calls = grep { $_->[0] eq 'allocate' } calls_of(sub {
        PLUGIN->alloc_image($storeid, $scfg, @arguments);
    })->@*;
    return [map { [$_->@[1 .. $_->$#*]] } @calls];
}

answer(allocate => 'vm-100-disk-3');

subtest 'a volume is allocated, and its name returned' => sub {
    my $name = PLUGIN->alloc_image($storeid, $scfg, dirty(100), dirty('raw'), undef, dirty(4096));
    is($name, 'vm-100-disk-3', 'the name that the array side chose');
    ok(is_clean($name), 'clean');
};

subtest 'a name is chosen or taken as it is' => sub {
    is_deeply(allocated(dirty(100), 'raw', undef, 4), [[100, undef, 4]], 'none given');
    is_deeply(allocated(100, 'raw', '', 4), [[100, undef, 4]], 'an empty one');
    is_deeply(allocated(100, 'raw', dirty($_), 4), [[100, $_, 4]], $_)
        for qw(vm-100-disk-7 vm-100-cloudinit vm-100-state-snap-1 vm-100-fleece-0 vm-100-data.1);
};

subtest 'KiB are whole, rounded up' => sub {
    my %expected = (
        4096 => 4096, 527.5 => 528, '0.5' => 1, 1 => 1, '540672.0' => 540672,
            '1e+15' => 1_000_000_000_000_000,
        '4194304' => 4194304, '1024.0001' => 1025,
    );
    is_deeply(allocated(100, 'raw', undef, dirty($_)), [[100, undef, $expected{$_}]], "$_ KiB")
        for sort(keys(%expected));
    for my $size (undef, '', 0, '0.0', -1, '-4', 'x', '4k', 'nan', 'inf') {
        error_of(sub { allocated(100, 'raw', undef, $size) }, 'no size: ' . ($size // 'undef'));
    }
};

subtest 'the format is raw' => sub {
    is_deeply(allocated(100, $_, undef, 4), [[100, undef, 4]], $_ // 'undef') for 'raw', undef, '';
    like(error_of(sub { allocated(100, $_, undef, 4) }), qr/\Q'$_'\E/, $_)
        for qw(qcow2 vmdk subvol);
};

subtest 'a name belongs to the VM that it is allocated for' => sub {
    for my $name (qw(
        vm-101-disk-0 base-100-disk-0 base-100-disk-0/vm-100-disk-1 disk-0 vm-100-disk-0.raw
        vm-1000-disk-0 vm-100- ../vm-100-disk-0
    )) {
        like(error_of(sub { allocated(100, 'raw', $name, 4) }),
            qr/\Astorage 'store': .*\Q$name\E.*\[invalid-argument\b/, $name);
    }
    error_of(sub { allocated($_, 'raw', undef, 4) }, "VM id '" . ($_ // 'undef') . "'")
        for 99, 0, '0100', 'x', undef, '100x', 1_000_000_000;
};

subtest 'the cluster has an id before anything is made on the array' => sub {
    unlink(HookTest::priv_dir() . '/ontapnvme-cluster-id');
    my $id_then;
    answer(allocate => sub { $id_then = get_file('ontapnvme-cluster-id'); return 'vm-100-disk-0' });
    allocated(100, 'raw', undef, 4);
    like($id_then // '', qr/\A[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\n\z/,
        'made');
    is(FakeNative::last_client()->{surroundings}{cluster_id} . "\n", $id_then,
        'and known to the client');
    allocated(100, 'raw', undef, 4);
    is(get_file('ontapnvme-cluster-id'), $id_then, 'it stays');
};

subtest 'a failure names what the library named' => sub {
    answer(allocate => native_error('no-space', "cannot create 'vm-100-disk-0'"));
    is(error_of(sub { allocated(100, 'raw', undef, 4) }),
        "storage 'store': cannot create 'vm-100-disk-0' [no-space]\n", 'text');
};

subtest 'the lowest free name' => sub {
    my @names = map { { volume_name => $_, vmid => 100 } }
        qw(vm-100-disk-0 base-100-disk-1 base-50000-disk-0/vm-100-disk-2 vm-100-disk-4),
        qw(vm-100-cloudinit vm-100-disk-03);
    answer(list => \@names);
    my $calls = calls_of(sub {
        my $name = PLUGIN->find_free_diskname($storeid, $scfg, dirty(100), 'raw', 0);
        is($name, 'vm-100-disk-3', 'after disks, base images and linked clones');
        ok(is_clean($name), 'clean');
    });
    is_deeply($calls->[-1], ['list', 100], 'of that VM alone');
    answer(list => []);
    is(PLUGIN->find_free_diskname($storeid, $scfg, 100), 'vm-100-disk-0', 'the first of a VM');
    answer(list => [map { { volume_name => "vm-100-disk-$_" } } 0 .. 1023]);
    error_of(sub { PLUGIN->find_free_diskname($storeid, $scfg, 100) }, 'all are taken');
};

done_testing();

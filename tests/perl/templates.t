#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use FakeNative qw(made answer native_error);
use HookTest qw(PLUGIN scfg dirty is_clean error_of put_file get_file priv_dir);

put_file('storage/store.pw', "secret\n");

my $scfg = dirty(scfg());
my $storeid = dirty('store');
my $is_uuid = qr/\A[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\n\z/;

subtest 'create_base returns the new name' => sub {
    my %expected = (
        'vm-100-disk-0' => 'base-100-disk-0',
        'base-100-disk-0/vm-101-disk-0' => 'base-100-disk-0/base-101-disk-0',
    );
    for my $name (sort(keys(%expected))) {
        answer(create_base => $expected{$name});
        my $base;
        my $calls = made(sub { $base = PLUGIN->create_base($storeid, $scfg, dirty($name)) });
        is_deeply($calls, [['create_base', $name]], "$name: asked");
        is($base, $expected{$name}, "$name: answered");
        ok(is_clean($base), "$name: clean");
    }
    my $calls = made(sub {
        like(error_of(sub { PLUGIN->create_base($storeid, $scfg, dirty($_)) }),
            qr/\Astorage 'store': .*'\Q$_\E'.*\[invalid-argument\b/, $_)
            for 'base-100-disk-0', 'base-100-disk-0/base-101-disk-0';
    });
    is_deeply($calls, [], 'a base image is no base image again');
    answer(create_base => native_error('busy', "'vm-100-disk-0' is in use on this node"));
    is(error_of(sub { PLUGIN->create_base($storeid, $scfg, 'vm-100-disk-0') }),
        "storage 'store': 'vm-100-disk-0' is in use on this node [busy]\n", 'a disk in use');
};

subtest 'clone_image clones base images and snapshots' => sub {
    answer(clone => 'base-100-disk-0/vm-101-disk-0');
    my $clone;
    my $calls = made(sub {
        $clone = PLUGIN->clone_image($scfg, $storeid, dirty('base-100-disk-0'), dirty(101));
    });
    is_deeply($calls, [['clone', 'base-100-disk-0', undef, 101]], 'a base image');
    is($clone, 'base-100-disk-0/vm-101-disk-0', 'the name holds that of the base image');
    ok(is_clean($clone), 'clean');

    answer(clone => 'vm-101-disk-0');
    for my $name (qw(vm-100-disk-0 base-100-disk-0 base-100-disk-0/vm-102-disk-0)) {
        is_deeply(made(sub { PLUGIN->clone_image($scfg, $storeid, dirty($name), dirty(101),
            dirty('before')) }),
            [['clone', $name, 'before', 101]], "a snapshot of $name");
    }
    my @wrong = (
        ['vm-100-disk-0', 101, undef],
        ['base-100-disk-0/vm-102-disk-0', 101, undef],
        ['base-100-disk-0', 99, undef],
        ['base-100-disk-0', undef, undef],
        ['vm-100-disk-0', 101, 'a/b'],
        ['vm-100-disk-0.raw', 101, 'before'],
        [undef, 101, undef],
    );
    for my $case (@wrong) {
        my ($name, $vmid, $snap) = $case->@*;
        my $told = join(' ', map { $_ // 'undef' } $case->@*);
        my $calls = made(sub {
            like(error_of(sub { PLUGIN->clone_image($scfg, $storeid, $name, $vmid, $snap) }),
                qr/\[invalid-argument\b/, $told);
        });
        is_deeply($calls, [], 'nothing is asked of the library');
    }
    like(error_of(sub { PLUGIN->clone_image($scfg, $storeid, 'vm-100-disk-0', 101) }),
        qr/'vm-100-disk-0'.*template/, 'a disk without a snapshot: what to do');
};

subtest 'rename_volume returns a volume id' => sub {
    my $rename = sub (@arguments) {
        my $volid;
        my $calls = made(sub { $volid = PLUGIN->rename_volume($scfg, $storeid, @arguments) });
        ok(is_clean($volid), 'clean');
        return [$volid, map { $_->@[1 .. $_->$#*] } $calls->@*];
    };
    answer(rename => sub ($from, $vmid, $to) {
        my ($parent) = $from =~ m{\A(.*/)};
        return ($parent // '') . ($to // "vm-$vmid-disk-7");
    });
    my @disk = (dirty('vm-100-disk-0'));
    is_deeply($rename->(@disk, dirty(101), undef),
        ['store:vm-101-disk-7', 'vm-100-disk-0', 101, undef], 'an owner');
    is_deeply($rename->(@disk, dirty(101)),
        ['store:vm-101-disk-7', 'vm-100-disk-0', 101, undef], 'some callers pass no name');
    is_deeply($rename->(dirty('base-500-disk-0/vm-100-disk-0'), dirty(101), ''),
        ['store:base-500-disk-0/vm-101-disk-7', 'base-500-disk-0/vm-100-disk-0', 101, undef],
        'a linked clone keeps its parent');
    is_deeply($rename->(@disk, dirty(101), dirty('vm-101-data.1')),
        ['store:vm-101-data.1', 'vm-100-disk-0', 101, 'vm-101-data.1'], 'an owner and a name');
    # The base part of the old name, or nothing: what Proxmox VE passes with a name alone.
    is_deeply($rename->(@disk, $_, dirty('vm-101-disk-3')),
        ['store:vm-101-disk-3', 'vm-100-disk-0', 101, 'vm-101-disk-3'],
        'a name alone, and ' . ($_ // 'undef'))
        for undef, '', 'base-100-disk-0', 0;
};

subtest 'what is no new owner or name is refused' => sub {
    my @wrong = (
        ['vm-100-disk-0', undef, undef],
        ['vm-100-disk-0', 'base-100-disk-0', undef],
        ['vm-100-disk-0', 99, ''],
        ['vm-100-disk-0', 101, 'vm-102-disk-0'],
        ['vm-100-disk-0', 101, 'base-101-disk-0'],
        ['vm-100-disk-0', 101, 'base-100-disk-0/vm-101-disk-0'],
        ['vm-100-disk-0', undef, 'disk-0'],
        ['vm-100-disk-0', undef, 'vm-101-disk-0.raw'],
        ['base-100-disk-0', 101, undef],
        ['../x', 101, undef],
    );
    for my $case (@wrong) {
        my $told = join(' ', map { $_ // 'undef' } $case->@*);
        my $calls = made(sub {
            like(error_of(sub { PLUGIN->rename_volume($scfg, $storeid, $case->@*) }),
                qr/\Astorage 'store': .* \[(?:invalid-argument|unsupported)\]\n\z/, $told);
        });
        is_deeply($calls, [], 'nothing is asked of the library');
    }
    answer(rename => native_error('already-exists', "'vm-101-disk-0' is there already"));
    is(error_of(sub { PLUGIN->rename_volume($scfg, $storeid, 'vm-100-disk-0', 101,
        'vm-101-disk-0') }),
        "storage 'store': 'vm-101-disk-0' is there already [already-exists]\n", 'a taken name');
};

subtest 'rename_snapshot is refused' => sub {
    my $calls = made(sub {
        like(error_of(sub { PLUGIN->rename_snapshot($scfg, $storeid, dirty('vm-100-disk-0'),
            dirty('old'), dirty('new')) }),
            qr/\Astorage 'store': .*'old' of 'vm-100-disk-0': .*the array's own.*\[unsupported\b/,
            'with the reason');
    });
    is_deeply($calls, [], 'nothing is asked of the library');
};

subtest 'the cluster has an id before anything is made or marked again' => sub {
    my $id_then;
    my $look = sub (@) { $id_then = get_file('ontapnvme-cluster-id'); return 'vm-101-disk-0' };
    answer(map { $_ => $look } qw(create_base clone rename));
    my %hooks = (
        create_base => sub { PLUGIN->create_base($storeid, $scfg, 'vm-100-disk-0') },
        clone_image => sub { PLUGIN->clone_image($scfg, $storeid, 'base-100-disk-0', 101) },
        rename_volume => sub { PLUGIN->rename_volume($scfg, $storeid, 'vm-100-disk-0', 101) },
    );
    for my $hook (sort(keys(%hooks))) {
        unlink(priv_dir() . '/ontapnvme-cluster-id');
        undef($id_then);
        $hooks{$hook}->();
        like($id_then // '', $is_uuid, $hook);
    }
};

done_testing();

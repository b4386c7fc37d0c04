#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use FakeNative qw(calls_of made answer native_error);
use HookTest qw(PLUGIN scfg dirty is_clean error_of said_in_task put_file get_file priv_dir);

put_file('storage/store.pw', "secret\n");

my $scfg = dirty(scfg());
my $storeid = dirty('store');
my $links = $PVE::Storage::OntapNvmeTcp::VolumeName::link_directory;
open(my $handle, '+<', '/dev/null') or die "null: $!\n";
my $fd = fileno($handle);
# Not a multiple of 1024 bytes: nothing of the end may be lost.
my $size = 4 * 1024 * 1024 + 1;

my sub everything_works {
    answer(
        activate => undef,
        activate_volume => sub ($name) { "$links/store/" . ($name =~ s{.*/}{}r) },
        activate_snapshot => sub ($name, $snap) { "$links/store/" . ($name =~ s{.*/}{}r)
            . "\@$snap" },
        deactivate_volume => undef,
        deactivate_snapshot => undef,
        export => undef,
        read_import_size => $size,
        allocate => sub ($vmid, $name, $kib) { $name // "vm-$vmid-disk-7" },
        import_volume => undef,
        create_base => sub ($name) { $name =~ s/\bvm-/base-/r },
        list => [],
        free => undef,
    );
    return;
}

# The calls of an import that goes wrong, its error, and what it says.
my sub failed_import ($name, $may_rename = 1) {
    my ($error, $said);
    my $calls = made(sub {
        $said = said_in_task(sub {
            $error = error_of(sub { PLUGIN->volume_import($scfg, $storeid, $handle, dirty($name),
                'raw+size', undef, undef, 0, $may_rename) });
        });
    });
    return ($calls, $error, $said);
}

my @whole = (
    ['activate'],
    ['read_import_size', $fd],
    ['lock', 'store', 1, 60],
    ['allocate', 100, 'vm-100-disk-0', 4097],
    ['unlock'],
    ['activate_volume', 'vm-100-disk-0'],
    ['import_volume', 'vm-100-disk-0', $size, $fd],
    ['deactivate_volume', 'vm-100-disk-0'],
);
my @removal = (
    ['deactivate_volume', 'vm-100-disk-0'],
    ['lock', 'store', 1, 60],
    ['free', 'vm-100-disk-0'],
    ['unlock'],
);

subtest 'the formats' => sub {
    for my $hook (qw(volume_export_formats volume_import_formats)) {
        my $formats = sub (@more) { [PLUGIN->$hook($scfg, $storeid, 'vm-100-disk-0', @more)] };
        is_deeply($formats->(), ['raw+size'], "$hook: of a volume");
        is_deeply($formats->(undef, undef, 0), ['raw+size'], "$hook: said in full");
        is_deeply($formats->('snap', undef, 0), ['raw+size'], "$hook: of a snapshot");
        is_deeply($formats->('snap', 'base', 0), [], "$hook: no difference");
        is_deeply($formats->(undef, undef, $_), [], "$hook: not with snapshots") for 1, ['snap'];
    }
};

subtest 'other streams are refused' => sub {
    everything_works();
    my @volume = ($scfg, $storeid, $handle, dirty('vm-100-disk-0'));
    my @wrong = (['qcow2+size'], ["raw\n"], [undef], ['raw+size', undef, 'base'],
        ['raw+size', 'snap', undef, 1], ['raw+size', undef, undef, ['snap']]);
    for my $hook (qw(volume_export volume_import)) {
        my $calls = made(sub {
            for my $more (@wrong) {
                like(error_of(sub { PLUGIN->$hook(@volume, $more->@*) }),
                    qr/\Astorage 'store': cannot \w+ 'vm-100-disk-0' .*\[unsupported\b/, $hook);
            }
            error_of(sub { PLUGIN->$hook($scfg, $storeid, $handle, 'x', 'raw+size') }, 'a name');
            open(my $memory, '<', \my $text) or die "$!\n";
            like(error_of(sub { PLUGIN->$hook($scfg, $storeid, $memory, 'vm-100-disk-0',
                'raw+size') }),
                qr/'vm-100-disk-0'.*\[invalid-argument\b/, 'no open file');
        });
        is_deeply($calls, [], 'nothing is asked of the library');
    }
};

subtest 'a volume is exported' => sub {
    everything_works();
    for my $name (qw(vm-100-disk-0 base-100-disk-0 base-100-disk-0/vm-101-disk-0)) {
        is_deeply(made(sub { PLUGIN->volume_export($scfg, $storeid, $handle, dirty($name),
            dirty('raw+size'), undef, undef, 0) }),
            [['export', $name, undef, $fd]], $name);
    }
    answer(export => native_error('unavailable', "cannot read 'vm-100-disk-0'"));
    is(error_of(sub { PLUGIN->volume_export($scfg, $storeid, $handle, 'vm-100-disk-0',
        'raw+size') }),
        "storage 'store': cannot read 'vm-100-disk-0' [unavailable]\n", 'a failure');
};

subtest 'a snapshot is a device for as long as its export takes' => sub {
    everything_works();
    my @export = ($scfg, $storeid, $handle, dirty('vm-100-disk-0'), 'raw+size', dirty('snap'));
    my @calls = map { [$_->[0], 'vm-100-disk-0', 'snap', $_->[0] =~ /export/ ? $fd : ()] }
        ['activate_snapshot'], ['export'], ['deactivate_snapshot'];
    is_deeply(made(sub { PLUGIN->volume_export(@export) }), \@calls, 'in this order');
    answer(export => native_error('unavailable', 'the first error'),
        deactivate_snapshot => native_error('busy', "'vm-100-disk-0\@snap' is in use"));
    my $error;
    my $said = said_in_task(sub {
        is_deeply(made(sub { $error = error_of(sub { PLUGIN->volume_export(@export) }) }), \@calls,
            'also when it fails');
    });
    is($error, "storage 'store': the first error [unavailable]\n", 'the first error is told');
    is_deeply($said, ["task: storage 'store': 'vm-100-disk-0\@snap' is in use [busy]"],
        'the second is a warning');
    answer(export => undef);
    $said = said_in_task(sub {
        ok(eval { PLUGIN->volume_export(@export); 1 }, 'a stream that is whole is no error');
    });
    is(scalar($said->@*), 1, 'whatever becomes of the device');
};

subtest 'a volume is imported, and only its name needs the lock' => sub {
    everything_works();
    unlink(priv_dir() . '/ontapnvme-cluster-id');
    my $volid;
    is_deeply(made(sub {
        $volid = PLUGIN->volume_import($scfg, $storeid, $handle, dirty('vm-100-disk-0'),
            dirty('raw+size'), undef, undef, 0, 0);
    }), \@whole, 'in this order');
    is($volid, 'store:vm-100-disk-0', 'the volume id');
    ok(is_clean($volid), 'clean');
    ok(get_file('ontapnvme-cluster-id'), 'the cluster has an id');
    is(PLUGIN->volume_import($scfg, $storeid, $handle, $_, 'raw+size', 'snap', undef, 0),
        "store:$_", $_)
        for qw(vm-100-cloudinit vm-100-state-suspend-2026-01-01 vm-100-data.1);
};

subtest 'a linked clone arrives whole, a base image is a disk first' => sub {
    everything_works();
    my $import = sub ($name) {
        my $volid;
        my @calls = grep { $_->[0] =~ /lock|allocate|base|import_volume/ } made(sub {
            $volid = PLUGIN->volume_import($scfg, $storeid, $handle, dirty($name), 'raw+size');
        })->@*;
        return [$volid, map { $_->[0] } @calls];
    };
    my @disk = qw(lock allocate unlock import_volume);
    is_deeply($import->('base-100-disk-0/vm-101-disk-3'), ['store:vm-101-disk-3', @disk],
        'without the parent that is not here');
    is_deeply($import->('base-100-disk-0'), ['store:base-100-disk-0', @disk,
        qw(lock create_base unlock)], 'a base image');
    is_deeply($import->('base-100-disk-0/base-101-disk-3'), ['store:base-101-disk-3', @disk,
        qw(lock create_base unlock)], 'one that was a linked clone');
};

subtest 'a name that is taken' => sub {
    everything_works();
    my $taken = native_error('already-exists', "'vm-100-disk-0' is there already");
    answer(allocate => sub ($vmid, $name, $kib) { defined($name) ? $taken->()
        : "vm-$vmid-disk-7" });
    my ($calls, $error) = failed_import('vm-100-disk-0', 0);
    is($error, "storage 'store': cannot import 'vm-100-disk-0': the name is taken"
        . " [already-exists]\n",
        'ends the import');
    is_deeply($calls, [@whole[0 .. 4]], 'and frees nothing of anybody');

    my $volid;
    my $said = said_in_task(sub {
        $volid = PLUGIN->volume_import($scfg, $storeid, $handle, 'vm-100-disk-0', 'raw+size',
            undef, undef, 0, 1);
    });
    is($volid, 'store:vm-100-disk-7', 'unless another will do');
    is_deeply($said, ["task: storage 'store': the name 'vm-100-disk-0' is taken: importing as"
        . " 'vm-100-disk-7'"],
        'which is told');

    everything_works();
    answer(list => [{ volume_name => 'base-50-disk-0/base-100-disk-0', vmid => 100 }]);
    ($calls, $error) = failed_import('base-100-disk-0', 0);
    like($error, qr/'base-100-disk-0'.*\[already-exists\b/, 'of a base image: before it is copied');
    is_deeply([map { $_->[0] } $calls->@*], [qw(activate read_import_size lock list unlock)],
        'in time');
    said_in_task(sub {
        $volid = PLUGIN->volume_import($scfg, $storeid, $handle, 'base-100-disk-0', 'raw+size',
            undef, undef, 0, 1);
    });
    is($volid, 'store:base-100-disk-7', 'or another');

    answer(allocate => native_error('no-space', 'the aggregate is full'));
    ($calls, $error) = failed_import('vm-100-disk-0', 1);
    is($error, "storage 'store': the aggregate is full [no-space]\n", 'another failure is one');
    is_deeply($calls, [@whole[0 .. 4]], 'at the first try');
};

subtest 'nothing is left of an import that fails, and the first error is told' => sub {
    my %until = (activate_volume => 5, import_volume => 6, deactivate_volume => 7);
    for my $step (sort(keys(%until))) {
        everything_works();
        answer($step => native_error('unavailable', "$step of 'vm-100-disk-0' failed"));
        my ($calls, $error, $said) = failed_import('vm-100-disk-0');
        is($error, "storage 'store': $step of 'vm-100-disk-0' failed [unavailable]\n", $step);
        is_deeply($calls, [@whole[0 .. $until{$step}], @removal], "$step: removed");
        is(scalar($said->@*), $step eq 'deactivate_volume' ? 1 : 0, "$step: what is said");
    }
    everything_works();
    answer(create_base => native_error('busy', "'vm-100-disk-0' is in use"));
    my ($calls, $error) = failed_import('base-100-disk-0');
    like($error, qr/\[busy\b/, 'create_base');
    is_deeply([$calls->@[-4 .. -1]], \@removal, 'create_base: removed');
    for my $step (qw(activate read_import_size)) {
        everything_works();
        answer($step => native_error('unavailable', 'no answer'));
        ($calls) = failed_import('vm-100-disk-0');
        ok(!grep({ $_->[0] =~ /lock|free|allocate/ } $calls->@*), "$step: nothing to remove");
    }
};

subtest 'what cannot be removed is told as well' => sub {
    everything_works();
    answer(import_volume => native_error('conflict', 'the stream ended early'),
        free => native_error('unavailable', 'no answer'));
    my ($calls, $error, $said) = failed_import('vm-100-disk-0');
    is($error, "storage 'store': the stream ended early [conflict]\n", 'after the first error');
    is_deeply($said, ["task: storage 'store': 'vm-100-disk-0' is incomplete and could not be"
        . " deleted: no answer [unavailable]"],
        'as a warning');
};

subtest 'a task that is stopped cleans up, and says nothing else' => sub {
    everything_works();
    answer(import_volume => sub (@) { die "received interrupt\n" });
    my ($calls, $error, $said) = failed_import('vm-100-disk-0');
    is($error, "received interrupt\n", 'in its own words');
    is_deeply([$calls->@[-4 .. -1]], \@removal, 'removed');
    is_deeply($said, [], 'nothing is said');
};

done_testing();

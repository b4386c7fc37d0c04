#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use File::Temp qw(tempdir);
use Test::More;

# The node whose devices are the simulator's namespaces comes before the real one.
BEGIN {
    my ($arch) = ($ENV{ONTAP_NODE_ARCH} // '') =~ /\A(.+)\z/;
    plan(skip_all => 'ONTAP_NODE_ARCH does not name the module for simulated nodes') if !$arch;
    unshift(@INC, $arch);
}

use HookTest qw(PLUGIN dirty is_clean error_of said_by);
use SimTest qw(start_array added_storage);

my ($folder) = tempdir(CLEANUP => 1) =~ /\A(.*)\z/;
my $sim = start_array(state => $folder);
$ENV{ONTAP_SIM_CONTROL} = $sim->{control};
$ENV{ONTAP_SIM_STATE} = $folder;
$ENV{ONTAP_SIM_NODE} = '11111111-1111-4111-8111-111111111111';

# Deleted clones in the recovery queue of the array would keep their parents.
my $scfg = added_storage($sim, 'store', force_delete => 1);
my $storeid = dirty('store');
my $links = $PVE::Storage::OntapNvmeTcp::VolumeName::link_directory;
# Zeros in the middle, and no whole number of blocks.
my $bytes = 'begin' . ("\0" x (3 * 1024 * 1024)) . 'end' . ("\0" x 1000);

my sub import_of ($name, $stream, $may_rename = 0) {
    pipe(my $reader, my $writer) or die "pipe: $!\n";
    my $pid = fork() // die "fork: $!\n";
    if (!$pid) {
        close($reader);
        local $SIG{PIPE} = 'IGNORE';
        syswrite($writer, $stream) for $stream;
        require POSIX;
        POSIX::_exit(0);
    }
    close($writer);
    my $volid = eval { PLUGIN->volume_import($scfg, $storeid, $reader, dirty($name),
        dirty('raw+size'), undef, undef, 0, $may_rename) };
    my $error = $@;
    close($reader);
    waitpid($pid, 0);
    die $error if !defined($volid);
    return $volid;
}

my sub export_of ($name, $snap = undef) {
    my $path = "$folder/stream";
    open(my $handle, '>', $path) or die "stream: $!\n";
    PLUGIN->volume_export($scfg, $storeid, $handle, dirty($name), 'raw+size', dirty($snap), undef,
        0);
    close($handle) or die "stream: $!\n";
    open($handle, '<:raw', $path) or die "stream: $!\n";
    local $/;
    my $stream = readline($handle);
    return (unpack('Q<', $stream), substr($stream, 8));
}

my sub listed {
    return [sort(map { $_->{volid} } PLUGIN->list_images($storeid, $scfg)->@*)];
}

my sub links { return [map { s{.*/}{}r } glob("$links/store/*")] }

subtest 'what is exported is what was imported' => sub {
    my $volid = import_of('vm-100-disk-0', pack('Q<', length($bytes)) . $bytes);
    is($volid, 'store:vm-100-disk-0', 'the volume id');
    ok(is_clean($volid), 'clean');
    is_deeply(listed(), [$volid], 'listed');
    is_deeply(links(), [], 'not active any more');
    my $size = PLUGIN->volume_size_info($scfg, $storeid, 'vm-100-disk-0');
    cmp_ok($size, '>=', length($bytes), 'large enough');
    PLUGIN->activate_volume($storeid, $scfg, 'vm-100-disk-0');
    my ($told, $stream) = export_of('vm-100-disk-0');
    is($told, $size, 'its size');
    ok($stream eq $bytes . ("\0" x ($size - length($bytes))), 'its bytes');
    is_deeply(links(), ['vm-100-disk-0'], 'as active as it was');
};

subtest 'a snapshot is exported as it was' => sub {
    PLUGIN->volume_snapshot($scfg, $storeid, 'vm-100-disk-0', 'snap');
    my $path = PLUGIN->path($scfg, 'vm-100-disk-0', $storeid);
    open(my $device, '+<', $path) or die "device: $!\n";
    syswrite($device, 'after');
    close($device);
    PLUGIN->deactivate_volume($storeid, $scfg, 'vm-100-disk-0');
    my (undef, $stream) = export_of('vm-100-disk-0', 'snap');
    is(substr($stream, 0, 5), 'begin', 'not what came after');
    is_deeply(links(), [], 'nothing is active any more');
    is_deeply(listed(), ['store:vm-100-disk-0'], 'and no volume is left of it');
    PLUGIN->volume_snapshot_delete($scfg, $storeid, 'vm-100-disk-0', 'snap', 0);
};

subtest 'a name that is taken' => sub {
    my $stream = pack('Q<', 4096) . ('x' x 4096);
    like(error_of(sub { import_of('vm-100-disk-0', $stream) }),
        qr/vm-100-disk-0.*\[already-exists\b/, 'ends the import');
    my $volid;
    my $said = said_by(sub { $volid = import_of('vm-100-disk-0', $stream, 1) });
    is($volid, 'store:vm-100-disk-1', 'or another is taken');
    like(join('', $said->@*), qr/'vm-100-disk-1'/, 'which is told');
    PLUGIN->free_image($storeid, $scfg, 'vm-100-disk-1', 0, 'raw');
};

subtest 'base images and linked clones' => sub {
    my $stream = pack('Q<', 8192) . ('x' x 8192);
    is(import_of('base-200-disk-0', $stream), 'store:base-200-disk-0', 'a base image');
    is(import_of('base-300-disk-0/vm-201-disk-0', $stream), 'store:vm-201-disk-0',
        'a linked clone, without its parent');
    my $clone = PLUGIN->clone_image($scfg, $storeid, 'base-200-disk-0', 202);
    my ($size, $bytes) = export_of($clone);
    is($size, 8192, 'a clone of what was imported');
    ok($bytes eq 'x' x 8192, 'has its bytes');
    PLUGIN->free_image($storeid, $scfg, $_, 0, 'raw')
        for $clone, qw(base-200-disk-0 vm-201-disk-0);
};

subtest 'nothing is left of a stream that ends early' => sub {
    like(error_of(sub { import_of('vm-100-disk-5', pack('Q<', 1024 * 1024) . 'short') }),
        qr/\Astorage 'store': .*\[conflict\b/, 'told');
    like(error_of(sub { import_of('vm-100-disk-5', 'x') }),
        qr/\Astorage 'store': .*\[invalid-argument\b/, 'also one without a size');
    is_deeply(listed(), ['store:vm-100-disk-0'], 'no volume');
    is_deeply(links(), [], 'no link');
    is_deeply([$sim->orphans()], [], 'nothing on the array');
};

done_testing();

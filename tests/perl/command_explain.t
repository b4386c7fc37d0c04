#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use File::Path qw(make_path);
use File::Temp qw(tempdir);
use JSON::PP qw(decode_json);
use Test::More;

use CommandTest qw(command schema_of schema_faults);

($ENV{CLUSTER}) = tempdir(CLEANUP => 1) =~ /\A(.*)\z/;
make_path(map { "$ENV{CLUSTER}/nodes/pve1/$_" } qw(qemu-server lxc));
my sub guest ($vmid, $text) {
    my $path = "$ENV{CLUSTER}/nodes/pve1/qemu-server/$vmid.conf";
    open(my $file, '>', $path) or die "cannot write '$path': $!\n";
    print {$file} $text;
    close($file) or die "cannot write '$path': $!\n";
    return;
}
guest(100, "scsi0: b:base-9-disk-0/vm-100-disk-0,size=4G\n[before]\nscsi0: b:vm-100-disk-0,size=4G\n");

my sub fact ($part, $name, $value, $is_odd = 0) {
    return { part => $part, name => $name, value => $value, is_odd => $is_odd };
}
my @facts = (
    fact('volume', 'name', 'vm-100-disk-0'), fact('container', 'name', 'pve_vm_100_disk_0'),
    fact('container', 'used', 'little'), fact('namespace', 'uuid', 'u-u-i-d'),
);
my $unknown = { explain => { die => "storage 'a': no disk of the storage has or is 'x' [not-found]\n" } };

my ($text, $code) = command({ b => { explain => \@facts } }, ['explain', 'b:vm-100-disk-0']);
is($text, <<~'END', 'what is known, part by part');
    b:vm-100-disk-0
      guest      100          scsi0: b:base-9-disk-0/vm-100-disk-0,size=4G
                 100 [before] scsi0: b:vm-100-disk-0,size=4G
      FlexVol    name         pve_vm_100_disk_0
                 used         little
      namespace  uuid         u-u-i-d
    END
is($code, 0, 'and nothing is odd');

($text, $code) = command(
    { a => $unknown, b => { 'explain u-u-i-d' => \@facts } }, ['explain', 'u-u-i-d', '--output-format', 'json']);
my $result = decode_json($text);
is($result->{storage}, 'b', 'each storage is asked until one knows it');
is_deeply([schema_faults($result, schema_of('explain'))], [], 'as the schema says');

($text, $code) = command(
    { b => { explain => [@facts, fact('map', 'none', 'no node sees it', 1)] } }, ['explain', 'b:vm-100-disk-0']);
like($text, qr/^! map        none         no node sees it$/m, 'what is odd is marked');
is($code, 2, 'and told by the exit code');

subtest 'a disk that no guest has, or another' => sub {
    my @other = (fact('volume', 'name', 'vm-101-disk-0'));
    like((command({ b => { explain => \@other } }, ['explain', 'b:vm-101-disk-0']))[0],
        qr/^! guest      none         it stands in no configuration$/m, 'none');
    guest(102, "unused0: b:vm-101-disk-0\n");
    like((command({ b => { explain => \@other } }, ['explain', 'b:vm-101-disk-0']))[0],
        qr/^! guest      102          unused0: b:vm-101-disk-0  \(its name is of guest 101\)$/m, 'another');
};

subtest 'what cannot be explained' => sub {
    ($text, $code) = command({ a => $unknown, b => $unknown }, ['explain', 'x']);
    like($text, qr/no disk of the storage/, 'is told by each storage');
    is($code, 1, 'and is a failure');
    ($text, $code) = command({}, ['explain', 'off:vm-1-disk-0']);
    like($text, qr/'off'/, 'a storage that is not enabled here');
    ($text, $code) = command({}, ['explain', '/dev/sda']);
    like($text, qr{'/dev/sda' is no device of this plugin}, "another's device");
    ($text, $code) = command({}, ['explain', '/dev/nvme77n77']);
    like($text, qr{no device '/dev/nvme77n77' here}, 'a device that is not there');
};

is((command({ b => { 'explain vm-100-disk-0' => \@facts } }, ['explain', '/dev/ontapnvme/b/vm-100-disk-0@now']))[1],
    0, 'the link of an activated volume says which it is');

done_testing();

#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use Test::More;

use HookTest qw(perl_output);

# The program that systemd runs at boot, over a PVE::Storage that records its calls.
my ($program) = abs_path(__FILE__) =~ m{\A(.*)/tests/perl/[^/]+\z} or die;
$program .= '/perl/connect-storages';
my $scratch = tempdir(CLEANUP => 1);
mkdir("$scratch/PVE") or die "cannot make '$scratch/PVE': $!\n";
open(my $module, '>', "$scratch/PVE/Storage.pm") or die "cannot write it: $!\n";
print $module <<~'END';
    package PVE::Storage;
    my ($section, $fails) = split(/;/, $ENV{CASE});
    sub config {
        my %types = map { split(/=/) } split(/,/, $section);
        return { ids => { map { $_ => { type => $types{$_} } } keys(%types) } };
    }
    sub storage_check_enabled { my ($cfg, $id) = @_; return $id !~ /off/ }
    sub activate_storage {
        my ($cfg, $id) = @_;
        print "$id\n";
        die "storage '$id': no live data path [unavailable]\n" if $fails && $id =~ /$fails/;
    }
    sub deactivate_storage {
        my ($cfg, $id) = @_;
        print "without $id\n";
        die "storage '$id': it is in use [busy]\n" if $fails && $id =~ /$fails/;
    }
    1;
    END
close($module) or die "cannot write it: $!\n";

my sub run ($case, $order = 0) {
    local $ENV{CASE} = $case;
    my ($text, $status) = perl_output([$scratch], $program, $order);
    return ($text, $status >> 8);
}

is_deeply([run('')], ['', 0], 'no storage: nothing to do, success');
is_deeply([run('local=dir,a=ontapnvme,b_off=ontapnvme')], ["a\n", 0],
    'each one of ours that is enabled on this node');
my ($said, $code) = run('a=ontapnvme,b=ontapnvme;a');
is($code, 1, 'one that cannot be connected is a failure');
like($said, qr/^cannot connect storage 'a' yet: no live data path \[unavailable\]$/m, 'with the reason');
like($said, qr/^b$/m, 'the others are connected all the same');

is_deeply([run('local=dir,a=ontapnvme,b_off=ontapnvme', '--disconnect')], ["without a\n", 0],
    'the same ones are disconnected');
($said, $code) = run('a=ontapnvme,b=ontapnvme;a', '--disconnect');
is($code, 1, 'one that cannot be is a failure');
like($said, qr/^cannot disconnect storage 'a': it is in use \[busy\]$/m, 'with the reason');
like($said, qr/^without b$/m, 'the others are disconnected all the same');

done_testing();

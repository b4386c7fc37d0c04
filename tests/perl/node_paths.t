#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use JSON::PP qw(decode_json);
use Test::More;

use HookTest qw(PLUGIN dirty scfg said_by);
use FakeNative qw(answer native_error);
use NodeTree qw(healthy_node write_node);
use PVE::Storage::OntapNvmeTcp::NodePaths qw(publish_paths published_paths);

my $scfg = { scfg()->%*, subsystem => 'pve' };
my $now = 1_700_000_000;
$PVE::Storage::OntapNvmeTcp::NodePaths::clock = sub { return $now };
healthy_node();
my $nvme = '/sys/class/nvme';

publish_paths('a', $scfg) for 1 .. 2;
pass('without a cluster nothing is told');

# Proxmox VE's store, and what it was given.
my (%store, @told);
{
    no warnings qw(once);
    *PVE::Cluster::broadcast_node_kv = sub ($key, $text) { push(@told, $key); $store{$key}{pve1} = $text; return };
    *PVE::Cluster::get_node_kv = sub ($key) { return $store{$key} // {} };
}
my sub polls ($storeid, @after_s) {
    @told = ();
    for my $after_s (@after_s) {
        $now += $after_s;
        publish_paths($storeid, $scfg);
    }
    return scalar(@told);
}
my sub states ($storeid) {
    return join(' ', map { "$_->{address} $_->{state}" } published_paths($storeid)->{pve1}{paths}->@*);
}

is(polls('a', 0), 0, 'a process that polls once tells nothing');
is(polls('a', 1), 1, 'a daemon tells at its second poll');
is(states('a'), '10.0.0.1 live 10.0.0.2 live', 'address and state');
is(published_paths('a')->{pve1}{time}, $now, 'and when');
is(polls('a', (10) x 29), 0, 'what has not changed is not told again');
is(polls('a', 10), 1, 'but after five minutes, since the store may have forgotten');

write_node("$nvme/nvme2/state", 'connecting');
is(polls('a', 9), 0, 'what has changed is told after ten seconds');
is(polls('a', 1), 1, 'at once then');
is(states('a'), '10.0.0.1 live 10.0.0.2 connecting', 'as it is now');
write_node("$nvme/nvme2/state", 'live');
is(polls('a', 1, 1, 1, 1), 0, 'what flutters is not told with each poll');
is(polls('a', -86_400), 1, 'a clock that was set back silences nothing');

is(polls('b', 0, 0), 1, 'each storage for itself');
is_deeply([sort(keys(%store))], ['ontapnvme-paths-a', 'ontapnvme-paths-b'], 'under a key of its own');

$store{'ontapnvme-paths-a'}{pve2} = 'not JSON';
$store{'ontapnvme-paths-a'}{pve3} = '{"paths":"none"}';
is_deeply([keys(published_paths('a')->%*)], ['pve1'], 'what cannot be read has not been told');

answer(capacity => native_error('unavailable', 'cannot reach the array'));
%store = ();
said_by(sub {
    for (1 .. 2) {
        PLUGIN->status(dirty('c'), $scfg);
        $now += 10;
    }
});
is(states('c'), '10.0.0.1 live 10.0.0.2 live', 'a poll tells of them, also while the array is silent');

done_testing();

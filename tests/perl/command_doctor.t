#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use JSON::PP qw(decode_json);
use Test::More;

use CommandTest qw(command put_module put_cluster schema_of schema_faults);

# The checks have tests of their own; these say what a script tells them to.
for my $of ('Node', 'Storage') {
    my $sub = lc($of) . '_checks';
    put_module("PVE/Storage/OntapNvmeTcp/Checks/$of.pm", <<~"END");
        package PVE::Storage::OntapNvmeTcp::Checks::$of;
        use Exporter qw(import);
        use JSON::PP qw(decode_json);
        our \@EXPORT_OK = qw($sub);
        sub $sub { my (\$id) = \@_; return decode_json(\$ENV{SCRIPT})->{\$id // 'node'}->\@* }
        1;
        END
}
my $fine = { check => 'kernel', outcome => 'ok', text => '6.8.12-4-pve' };
my $warned = {
    check => 'path', outcome => 'warn', text => "nvme2 to 10.0.0.2 is 'connecting'",
    remedy => 'ping -c 3 10.0.0.2; nc -zv 10.0.0.2 4420',
};
my $failed = { check => 'array', outcome => 'fail', text => 'no answer ' x 12, remedy => 'curl -v x' };
my $skipped = { check => 'disks', outcome => 'skipped', text => "not looked at: 'array' comes first" };
my $all = { node => [$fine], a => [$fine, $warned], b => [$failed, $skipped] };

my ($text, $code) = command($all, ['doctor']);
is($text, <<~'END', 'one line a check, and one for what to do');
    this node:
      ok   kernel              6.8.12-4-pve

    storage a:
      ok   kernel              6.8.12-4-pve
      warn path                nvme2 to 10.0.0.2 is 'connecting'
           > ping -c 3 10.0.0.2; nc -zv 10.0.0.2 4420

    storage b:
      fail array               no answer no answer no answer no answer no answer no
                               answer no answer no answer no answer no answer no
                               answer no answer
           > curl -v x
      -    disks               not looked at: 'array' comes first
    END
is($code, 1, 'what fails is a failure');
is(scalar(grep { length > 80 } split(/\n/, $text)), 0, 'in 80 columns');

($text, $code) = command($all, ['doctor', 'a']);
unlike($text, qr/storage b/, 'only the storage that is named');
is($code, 2, 'a warning is told by the exit code');
is((command({ $all->%*, a => [$fine, $skipped] }, ['doctor', 'a']))[1], 0, 'what was skipped is not');
is((command({ $all->%*, node => [$failed] }, ['doctor', 'a']))[1], 1, 'the node counts as well');

($text, $code) = command($all, ['doctor', 'off']);
like($text, qr/'off'/, 'a storage that is not enabled here is refused');
is($code, 1, 'with a failure');

($text, $code) = command($all, ['doctor', 'a', '--output-format', 'json']);
my $result = decode_json($text);
is_deeply($result, [$fine, { storage => 'a', $fine->%* }, { storage => 'a', $warned->%* }],
    'as JSON the same');
is_deeply([schema_faults($result, schema_of('doctor'))], [], 'as the schema says');
is($code, 2, 'with the same exit code');

# ---- all nodes

my @common = ({ check => 'plugin', outcome => 'ok', text => '2.1.0' },
    { check => 'host-nqn', outcome => 'ok', text => 'nqn.1' });
my $own_results = { node => \@common, a => [$fine], b => [] };
# What the program prints on a node, and what it ends with; a reference: what ssh complains of.
put_cluster(
    pve1 => undef,
    pve2 => [[@common, { storage => 'a', $warned->%* }], 2],
    pve3 => 'offline',
    pve4 => \"ssh: connect to host pve4 port 22: No route to host\n",
    pve5 => \"bash: line 1: ontapnvme: command not found\n",
);
($text, $code) = command($own_results, ['doctor', 'a', '--all-nodes', '--output-format', 'json']);
$result = decode_json($text);
is_deeply([schema_faults($result, schema_of('doctor'))], [], 'of all nodes, as the schema says');
my %of_node;
push($of_node{ delete($_->{node}) // 'all' }->@*, $_) for $result->@*;
is_deeply($of_node{pve1}, [@common, { storage => 'a', $fine->%* }], 'of this node without asking another');
is_deeply($of_node{pve2}, [@common, { storage => 'a', $warned->%* }], 'of another what it says, although it complains');
is($of_node{pve3}[0]{text}, 'Proxmox VE says that it is offline: not looked at', 'a node that is offline is not asked');
is($of_node{pve3}[0]{outcome}, 'warn', 'and is told of');
is($of_node{pve4}[0]{text}, 'it cannot be asked: ssh: connect to host pve4 port 22: No route to host',
    'a node that cannot be reached says why');
is($of_node{pve5}[0]{text}, 'it cannot be asked: bash: line 1: ontapnvme: command not found',
    'a node without the package as well');
is_deeply({ map { $_->{check} => "$_->{outcome}: $_->{text}" } $of_node{all}->@* }, {
    'every-plugin' => 'ok: one version everywhere',
    'every-cluster-id' => 'ok: one cluster ID everywhere',
    'every-host-nqn' => 'fail: nodes share a host NQN: pve1, pve2: nqn.1',
    'every-host-id' => 'ok: each node has its own',
}, 'what they share is told');
is($code, 1, 'with the worst of all as the exit code');

put_cluster(pve1 => undef, pve2 => [[{ check => 'plugin', outcome => 'ok', text => '2.0.0' }], 0]);
($text, $code) = command($own_results, ['doctor', '--all-nodes']);
like($text, qr/^node pve1, storage a:\n.*^node pve2:\n.*^all nodes:\n/ms, 'as text, node by node');
like($text, qr/warn every-plugin +not one version everywhere: pve2: 2\.0\.0; pve1: 2\.1\.0\n/, 'old versions are told');
is(scalar(grep { length > 80 } split(/\n/, $text)), 0, 'in 80 columns');

done_testing();

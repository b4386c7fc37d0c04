#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use JSON::PP qw(decode_json encode_json);
use Test::More;

use CommandTest qw(command put_cluster put_module schema_of schema_faults);

# The kernel's side has tests of its own; here a storage has the paths that the environment says.
put_module('PVE/Storage/OntapNvmeTcp/NodePaths.pm', <<~'END');
    package PVE::Storage::OntapNvmeTcp::NodePaths;
    use Exporter qw(import);
    use JSON::PP qw(decode_json encode_json);
    our @EXPORT_OK = qw(paths_of published_paths);
    sub published_paths { return decode_json($ENV{PUBLISHED})->{$_[0]} // {} }
    sub paths_of {
        my $number = 0;
        return map {
            +{ name => 'nvme' . $number++, address => "10.0.0.$number", state => $_, queues => 9, ctrl_loss_tmo => 'off' }
        } split(/ /, $ENV{PATHS});
    }
    1;
    END
my $works = { capacity => { total_bytes => 100, used_bytes => 25, available_bytes => 75 } };
my $silent = { capacity => { die => "storage 'b': no answer [timed-out]\n" } };

$ENV{PATHS} = 'live connecting';
my ($text, $code) = command({}, ['paths', 'a']);
is($text, <<~'END', 'a line for each path');
    storage              controller address                  state        queues lost after
    a                    nvme0      10.0.0.1                 live              9 never
                         nvme1      10.0.0.2                 connecting        9 never
    END
is($code, 2, 'a path that is not live is a warning');
($text) = command({}, ['paths', '--output-format', 'json']);
is_deeply([schema_faults(decode_json($text), schema_of('paths'))], [], 'JSON as the schema says');

($text, $code) = command({ a => $works, b => $silent }, ['metrics']);
is($text, <<~'END', 'what a poll sees, for Prometheus');
    # HELP ontapnvme_up Whether the array answers this node.
    # TYPE ontapnvme_up gauge
    ontapnvme_up{storage="a"} 1
    ontapnvme_up{storage="b"} 0
    # HELP ontapnvme_size_bytes What the storage can hold.
    # TYPE ontapnvme_size_bytes gauge
    ontapnvme_size_bytes{storage="a"} 100
    # HELP ontapnvme_used_bytes What of it is used.
    # TYPE ontapnvme_used_bytes gauge
    ontapnvme_used_bytes{storage="a"} 25
    # HELP ontapnvme_path_live Whether data flows on a path of this node.
    # TYPE ontapnvme_path_live gauge
    ontapnvme_path_live{address="10.0.0.1",controller="nvme0",storage="a"} 1
    ontapnvme_path_live{address="10.0.0.2",controller="nvme1",storage="a"} 0
    ontapnvme_path_live{address="10.0.0.1",controller="nvme0",storage="b"} 1
    ontapnvme_path_live{address="10.0.0.2",controller="nvme1",storage="b"} 0
    # HELP ontapnvme_paths_live Paths of this node on which data flows.
    # TYPE ontapnvme_paths_live gauge
    ontapnvme_paths_live{storage="a"} 1
    ontapnvme_paths_live{storage="b"} 1
    END
is($code, 0, 'a scraper gets what there is');
($text) = command({ a => $works }, ['metrics', 'a', '--output-format', 'json']);
is_deeply([schema_faults(decode_json($text), schema_of('metrics'))], [], 'JSON as the schema says');

$ENV{PATHS} = 'live live';
is((command({}, ['paths']))[1], 0, 'all live is fine');
$ENV{PATHS} = 'connecting';
is((command({}, ['paths']))[1], 1, 'none live is a failure');
$ENV{PATHS} = '';
($text, $code) = command({}, ['paths', 'a']);
like($text, qr/^a +there is no path$/m, 'none at all is told');
is($code, 1, 'as a failure');

# ---- all nodes

put_cluster(pve1 => undef, pve2 => undef, pve3 => undef, pve4 => 'offline');
my sub told ($age_s, %states) {
    return { time => time() - $age_s,
        paths => [map { { name => 'nvme9', address => $_, state => $states{$_} } } sort(keys(%states))] };
}
$ENV{PATHS} = 'live live';
$ENV{PUBLISHED} = encode_json({
    a => {
        pve1 => told(10, '10.0.0.9' => 'live'),
        pve2 => told(7_300, '10.0.0.1' => 'live', '10.0.0.2' => 'connecting'),
        pve3 => told(10, '10.0.0.2' => 'live', '10.0.0.3' => 'live'),
    },
    b => { map { $_ => told(0, '10.0.0.1' => 'live') } qw(pve2 pve3 pve4) },
});
($text, $code) = command({}, ['paths', '--all-nodes']);
is($text, <<~'END', 'a line for each node, a column for each LIF');
    a               10.0.0.1      10.0.0.2      10.0.0.3
    pve1            live          live          none
    pve2            live          connecting    none  121 minutes ago
    pve3            none          live          live
    pve4            ?             ?             ?  it has told nothing

    b               10.0.0.1      10.0.0.2
    pve1            live          live
    pve2            live          none
    pve3            live          none
    pve4            live          none
    END
is($code, 2, 'a node that has told nothing is a warning');
($text, $code) = command({}, ['paths', 'b', '--all-nodes']);
is($code, 0, 'all live is fine');
($text) = command({}, ['paths', '--all-nodes', '--output-format', 'json']);
my $result = decode_json($text);
is_deeply([schema_faults($result, schema_of('paths'))], [], 'JSON as the schema says');
is_deeply([map { $_->{node} } grep { !$_->{paths} } $result->@*], ['pve4'], 'nothing told is not the same as no path');
$ENV{PUBLISHED} = encode_json({ a => { map { $_ => told(0) } qw(pve2 pve3 pve4) } });
is((command({}, ['paths', 'a', '--all-nodes']))[1], 1, 'a node without a path is a failure');

done_testing();

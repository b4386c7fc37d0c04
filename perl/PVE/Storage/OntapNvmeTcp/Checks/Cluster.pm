# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Checks::Cluster;

use v5.36;

use Exporter qw(import);
use JSON::PP ();

our @EXPORT_OK = qw(on_every_node compare_nodes);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Checks::Cluster - what the nodes of the cluster say, side by side

=head1 DESCRIPTION

=over

=item on_every_node($own, $command, $only)

The results of a verb of ontapnvme(8) on each node, in the order of their names, each with its C<node>; for a node
that cannot be asked one result of the form of a check that complains. Here C<$own> is called; elsewhere the
program is, with the arguments C<$command>, by Proxmox VE's own way from root to root, for at most two minutes.
C<$only>: the nodes that count, as the keys of a hash; undef: all.

=item compare_nodes(@results)

Checks of what must be the same on all nodes, or must not, made of the results of C<doctor> on all of them.

=back

=cut

# An examination waits for an array that is silent as long as any read does.
use constant { CONNECT_S => 5, ANSWER_S => 120 };

my sub not_asked ($node, $outcome, $text, $remedy) {
    return { node => $node, check => 'node', outcome => $outcome, text => $text, remedy => $remedy };
}

my sub ask ($node, @command) {
    my ($output, $complaint) = ('', '');
    my $told = eval {
        my $ssh = PVE::SSHInfo::ssh_info_to_command(PVE::SSHInfo::get_ssh_info($node),
            '-o', 'ConnectTimeout=' . CONNECT_S);
        # It ends with another code than 0 where it complains, and has told all the same.
        PVE::Tools::run_command(
            [$ssh->@*, 'ontapnvme', @command, '--output-format', 'json'],
            outfunc => sub ($line) { $output .= "$line\n" },
            errfunc => sub ($line) { $complaint .= "$line\n" },
            timeout => ANSWER_S, noerr => 1,
        );
        JSON::PP->new->utf8->decode($output);
    };
    return map { +{ $_->%*, node => $node } } $told->@* if ref($told) eq 'ARRAY';
    # What failed comes last in what ssh says, as a rule.
    my ($why) = ($complaint ne '' ? $complaint : "$@") =~ /([^\n]*)\n*\z/;
    return not_asked($node, 'fail', "it cannot be asked: $why", "ssh root\@$node ontapnvme @command");
}

sub on_every_node ($own, $command, $only = undef) {
    # Not loaded for a question to one node.
    require PVE::Cluster;
    require PVE::INotify;
    require PVE::SSHInfo;
    require PVE::Tools;
    PVE::Cluster::cfs_update();
    my $here = PVE::INotify::nodename();
    my $members = PVE::Cluster::get_members() // {};
    my @results;
    for my $name (sort(grep { !$only || $only->{$_} } PVE::Cluster::get_nodelist()->@*)) {
        # From Proxmox VE's own list; no character of it means anything to a shell.
        my ($node) = $name =~ /\A([a-zA-Z0-9][a-zA-Z0-9.-]*)\z/ or die "'$name' is no name of a node\n";
        push(@results,
            $node eq $here ? map { +{ $_->%*, node => $node } } $own->()->@*
            : $members->{$node}{online} ? ask($node, $command->@*)
            : not_asked($node, 'warn', 'Proxmox VE says that it is offline: not looked at', 'pvecm status'));
    }
    return @results;
}

# A check of a node; what it tells; whether all nodes must have the same; what helps.
my $restart = 'on all nodes but one, without guests; then restart it';
my @comparisons = (
    ['plugin', 'version', 1, 'apt install pve-storage-ontapnvme  # on each node'],
    ['cluster-id', 'cluster ID', 1, 'ls -l /etc/pve/priv/ontapnvme-cluster-id  # on each node'],
    ['host-nqn', 'host NQN', 0, "nvme gen-hostnqn > /etc/nvme/hostnqn  # $restart"],
    ['host-id', 'host ID', 0, "uuidgen > /etc/nvme/hostid  # $restart"],
);

my sub compare ($comparison, @results) {
    my ($check, $what, $is_common, $remedy) = $comparison->@*;
    my %nodes;
    for my $result (grep { $_->{check} eq $check && $_->{outcome} eq 'ok' } @results) {
        push($nodes{ $result->{text} }->@*, $result->{node});
    }
    my @odd = grep { $is_common ? keys(%nodes) > 1 : $nodes{$_}->@* > 1 } sort(keys(%nodes));
    my $name = "every-$check";
    return { check => $name, outcome => 'ok', text => $is_common ? "one $what everywhere" : "each node has its own" }
        if !@odd;
    my $told = join('; ', map { join(', ', $nodes{$_}->@*) . ": $_" } @odd);
    return {
        check => $name, outcome => $is_common ? 'warn' : 'fail', remedy => $remedy,
        text => ($is_common ? "not one $what everywhere: " : "nodes share a $what: ") . $told,
    };
}

sub compare_nodes (@results) {
    return map { compare($_, @results) } @comparisons;
}

1;

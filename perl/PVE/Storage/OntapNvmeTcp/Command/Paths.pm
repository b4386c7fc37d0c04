# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Command::Paths;

use v5.36;

use parent qw(PVE::RESTHandler);

use List::Util qw(max);

use PVE::Storage::OntapNvmeTcp::Command qw(
    EXIT_OK EXIT_FAILED EXIT_WARNED chosen_sections print_result say_line storage_parameter
);
use PVE::Storage::OntapNvmeTcp::NodePaths qw(paths_of published_paths);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Command::Paths - the paths of this node, or of all, to each storage

=cut

__PACKAGE__->register_method({
    name => 'paths',
    path => 'paths',
    method => 'GET',
    description => "This node's paths to the data LIFs of each storage, as the kernel has them, or those of all"
        . ' nodes, as each has told the cluster. The array is not asked. Changes nothing.',
    parameters => {
        additionalProperties => 0,
        properties => {
            storage => storage_parameter(),
            'all-nodes' => {
                type => 'boolean',
                description => 'Of every node of the cluster that uses the storage.',
                optional => 1,
            },
        },
    },
    returns => {
        type => 'array',
        items => {
            type => 'object',
            properties => {
                storage => { type => 'string' },
                node => { type => 'string', optional => 1 },
                age_s => { type => 'integer', optional => 1 },
                paths => {
                    type => 'array',
                    optional => 1,
                    items => {
                        type => 'object',
                        properties => {
                            controller => { type => 'string' },
                            address => { type => 'string' },
                            state => { type => 'string' },
                            queues => { type => 'string', optional => 1 },
                            ctrl_loss_tmo => { type => 'string', optional => 1 },
                        },
                    },
                },
            },
        },
    },
    code => sub ($param) {
        my $look = $param->{'all-nodes'} ? \&_of_all_nodes : \&_of_this_node;
        return [map { $look->($_->@*) } chosen_sections($param->{storage} // ())];
    },
});

my sub shown (@paths) {
    return [
        map {
            my $path = $_;
            +{
                controller => $path->{name}, $path->%{qw(address state)},
                map { $_ => "$path->{$_}" } grep { defined($path->{$_}) } qw(queues ctrl_loss_tmo)
            }
        } @paths
    ];
}

sub _of_this_node ($id, $scfg) { return { storage => $id, paths => shown(paths_of($scfg)) } }

# A node that has told nothing has no `paths`: that is not the same as having none.
sub _of_all_nodes ($id, $scfg) {
    require PVE::Cluster;
    require PVE::INotify;
    PVE::Cluster::cfs_update();
    my $here = PVE::INotify::nodename();
    my $published = published_paths($id);
    return map {
        my $told = $published->{$_};
        my $is_asked = $_ eq $here;
        +{
            storage => $id,
            node => $_,
            $is_asked ? (age_s => 0, paths => shown(paths_of($scfg)))
                : $told ? (age_s => max(0, time() - int($told->{time} // 0)), paths => shown($told->{paths}->@*))
                : ()
        }
    } sort(grep { !$scfg->{nodes} || $scfg->{nodes}{$_} } PVE::Cluster::get_nodelist()->@*);
}

my sub list_of_this_node ($storages) {
    my $form = '%-20s %-10s %-24s %-12s %6s %s';
    say_line(sprintf($form, 'storage', 'controller', 'address', 'state', 'queues', 'lost after'));
    for my $storage ($storages->@*) {
        my $shown = $storage->{storage};
        say_line(sprintf('%-20s there is no path', $shown)) if !$storage->{paths}->@*;
        for my $path ($storage->{paths}->@*) {
            my $ends = $path->{ctrl_loss_tmo} // '?';
            say_line(sprintf(
                $form, $shown, $path->@{qw(controller address state)}, $path->{queues} // '?',
                $ends =~ /\A(?:off|-1)\z/ ? 'never' : "$ends s",
            ));
            $shown = '';
        }
    }
    return;
}

# What is told is told again every five minutes while it does not change.
use constant OLD_S => 600;

# A line for each node, a column for each address.
my sub matrix ($id, @nodes) {
    my %addresses = map { map { $_->{address} => 1 } ($_->{paths} // [])->@* } @nodes;
    my @addresses = sort(keys(%addresses));
    my $first = max(14, map { length } $id, map { $_->{node} } @nodes);
    my @widths = map { max(12, length) } @addresses;
    my $line = sub ($name, @cells) {
        return join('  ', sprintf("%-${first}s", $name), map { sprintf("%-$widths[$_]s", $cells[$_]) } 0 .. $#cells)
            =~ s/ +\z//r;
    };
    say_line($line->($id, @addresses));
    for my $node (@nodes) {
        if (!$node->{paths}) {
            say_line($line->($node->{node}, map { '?' } @addresses) . '  it has told nothing');
            next;
        }
        my %state = map { $_->{address} => $_->{state} } $node->{paths}->@*;
        my $old = $node->{age_s} > OLD_S ? sprintf('  %d minutes ago', $node->{age_s} / 60) : '';
        say_line($line->($node->{node}, map { $state{$_} // 'none' } @addresses) . $old);
    }
    return;
}

my sub text ($results) {
    return list_of_this_node($results) if !grep { defined($_->{node}) } $results->@*;
    my $is_first = 1;
    my %seen;
    for my $id (grep { !$seen{$_}++ } map { $_->{storage} } $results->@*) {
        say_line('') if !$is_first;
        $is_first = 0;
        matrix($id, grep { $_->{storage} eq $id } $results->@*);
    }
    return;
}

sub show ($result, $schema, $options) {
    print_result($result, $schema, $options, \&text);
    my ($is_cut_off, $is_lame);
    for my $place ($result->@*) {
        my @paths = ($place->{paths} // [])->@*;
        my @live = grep { $_->{state} eq 'live' } @paths;
        $is_cut_off ||= $place->{paths} && !@live;
        $is_lame ||= !$place->{paths} || @live < @paths;
    }
    exit($is_cut_off ? EXIT_FAILED : $is_lame ? EXIT_WARNED : EXIT_OK);
}

1;

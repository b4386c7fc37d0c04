# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Command::Orphans;

use v5.36;

use parent qw(PVE::RESTHandler);

use List::Util qw(max);

use PVE::RPCEnvironment;

use PVE::Storage::OntapNvmeTcp::Border qw(native);
use PVE::Storage::OntapNvmeTcp::Command qw(
    EXIT_OK EXIT_FAILED EXIT_WARNED chosen_sections confirm storage_parameter print_result run_task say_line
    under_storage_lock
);
use PVE::Storage::OntapNvmeTcp::GuestConfigs qw(read_configs referenced_volumes);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Command::Orphans - disks without a guest, and guests without a disk

=cut

# A disk is made before it stands in a configuration, and tasks like a restore take their time.
use constant LEFT_ALONE_S => 3600;

__PACKAGE__->register_method({
    name => 'orphans',
    path => 'orphans',
    method => 'POST',
    description => "Disks that are in no guest's configuration, disks in a configuration that are not on"
        . ' the array, and what is half-made. Changes nothing, unless asked to.',
    parameters => {
        additionalProperties => 0,
        properties => {
            storage => storage_parameter(),
            fix => {
                type => 'boolean',
                description => 'Remove what is proven to be abandoned: what interrupted tasks left and nobody has.'
                    . ' Disks are never removed.',
                optional => 1,
            },
            yes => { type => 'boolean', description => 'Do not ask before removing.', optional => 1 },
        },
    },
    returns => {
        type => 'array',
        items => {
            type => 'object',
            properties => {
                storage => { type => 'string' },
                kind => { type => 'string', enum => [qw(unreferenced missing unfinished unknown)] },
                volume => { type => 'string', optional => 1 },
                vmid => { type => 'integer', optional => 1 },
                owner => { type => 'string', optional => 1 },
                size_bytes => { type => 'integer', optional => 1 },
                age_s => { type => 'integer', optional => 1 },
                text => { type => 'string' },
                remedy => { type => 'string', optional => 1 },
            },
        },
    },
    code => sub ($param) {
        my @chosen = chosen_sections($param->{storage} // ());
        _remove_abandoned($param->{yes}, @chosen) if $param->{fix};
        return [map { _orphans_of($_->@*) } @chosen];
    },
});

my sub plain ($error) { return "$error" =~ s/\n\z//r }

my sub unreferenced ($id, $disk, $configs, $age_s) {
    my $vmid = $disk->{vmid};
    my $has_guest = exists($configs->{$vmid});
    return {
        storage => $id,
        kind => 'unreferenced',
        volume => $disk->{volume_name},
        vmid => $vmid,
        owner => $has_guest ? "guest $vmid" : 'no guest',
        size_bytes => $disk->{size_bytes},
        age_s => $age_s,
        text => $has_guest ? "guest $vmid does not have it" : "there is no guest $vmid",
        remedy => !$has_guest ? "pvesm free $id:$disk->{volume_name}"
            : $configs->{$vmid} =~ /^rootfs:/m ? "pct rescan --vmid $vmid" : "qm disk rescan --vmid $vmid",
    };
}

# "Not listed" proves nothing: each disk is asked for by its name.
my sub absent ($id, $scfg, $volume, $vmid) {
    return if eval { native($id, $scfg, sub ($client, $) { $client->info($volume) }) };
    my $error = plain($@);
    my %about = (storage => $id, volume => $volume, vmid => $vmid, owner => "guest $vmid");
    return { %about, kind => 'unknown', text => $error } if $error !~ /\[not-found[],]/;
    return {
        %about, kind => 'missing', text => "guest $vmid has it, and the array does not",
        remedy => "grep -rn '$id:.*$volume' /etc/pve/nodes",
    };
}

sub _orphans_of ($id, $scfg) {
    my ($disks, $pending);
    # The array before the configurations: a disk that is made meanwhile is in neither.
    my $done = eval {
        native($id, $scfg, sub ($client, $) {
            $disks = $client->list(undef);
            $pending = $client->pending();
            return;
        });
        1;
    };
    return { storage => $id, kind => 'unknown', text => plain($@) } if !$done;
    # Twice: a guest that moves to another node meanwhile may be missed by one of them, not by both.
    my $configs = eval { +{ read_configs()->%*, read_configs()->%* } };
    return { storage => $id, kind => 'unknown', text => plain($@) } if !$configs;

    my $vmid_of = referenced_volumes($id, $configs);
    my $now_s = time();
    my (@found, %listed);
    for my $disk ($disks->@*) {
        my $leaf = $disk->{volume_name} =~ s{.*/}{}r;
        $listed{$leaf} = 1;
        my $age_s = $now_s - $disk->{create_time_s};
        next if exists($vmid_of->{$leaf}) || $age_s < LEFT_ALONE_S;
        push(@found, unreferenced($id, $disk, $configs, $age_s));
    }
    push(@found, absent($id, $scfg, $_, $vmid_of->{$_}))
        for grep { !$listed{$_} && /\A(?:vm|base)-[0-9]+-/ } sort(keys($vmid_of->%*));
    push(@found, map {
        { storage => $id, kind => 'unfinished', text => $_, remedy => "ontapnvme orphans $id --fix" }
    } $pending->@*);
    return @found;
}

# ---- removing

# All that configurations name, whatever they name it for. A cluster without any guest is one whose
# configurations are not there.
my sub named_volumes ($id) {
    # Twice, as for the list.
    my $configs = { read_configs()->%*, read_configs()->%* };
    die "nothing is removed: no guest has a configuration\n" if !$configs->%*;
    # A description may have words that look like a volume.
    return [grep { /\A(?:vm|base)-[0-9]+-/ } sort(keys(referenced_volumes($id, $configs)->%*))];
}

sub _remove_abandoned ($is_agreed, @chosen) {
    # Only here: looking needs none of it.
    require PVE::Tools;
    my $ids = join(', ', map { $_->[0] } @chosen);
    confirm("What interrupted tasks left on $ids, more than an hour ago, and nobody has is removed.", $is_agreed);
    my $environment = PVE::RPCEnvironment::get();
    for my $storage (@chosen) {
        my ($id, $scfg) = $storage->@*;
        run_task("removing what is abandoned on $id", sub {
            return $environment->fork_worker('ontapnvmeorphans', $id, $environment->get_user(), sub {
                # Under the lock no task makes or takes a disk, so that what they have been given is written down
                # or younger than an hour.
                my $lines = under_storage_lock($id, $scfg, sub ($client, $) {
                    return $client->remove_abandoned(named_volumes($id));
                });
                say_line("$id: $_") for $lines->@* ? $lines->@* : ('nothing is proven to be abandoned');
            });
        });
    }
    return;
}

# ---- showing

my sub size ($bytes) { return defined($bytes) ? sprintf('%.1f GiB', $bytes / 2**30) : '-' }
my sub age ($age_s) { return defined($age_s) ? sprintf('%d days', $age_s / 86_400) : '-' }

# A table, and below each line of it what is wrong and what helps.
my sub text ($orphans) {
    my @rows = map {
        my $name = defined($_->{volume}) ? "$_->{storage}:$_->{volume}" : $_->{storage};
        [$_->{kind}, $name, size($_->{size_bytes}), age($_->{age_s}), $_->{owner} // '-'];
    } $orphans->@*;
    unshift(@rows, [qw(KIND WHAT SIZE AGE OWNER)]) if @rows;
    my @widths = map { my $column = $_; max(map { length($_->[$column]) } @rows) } 0 .. 3;
    for my $index (0 .. $#rows) {
        my ($kind, $what, $size, $age, $owner) = $rows[$index]->@*;
        say_line(sprintf('%-*s  %-*s  %-*s  %-*s  %s',
            $widths[0], $kind, $widths[1], $what, $widths[2], $size, $widths[3], $age, $owner));
        next if $index == 0;
        my $orphan = $orphans->[$index - 1];
        say_line("    $orphan->{text}");
        say_line("    > $orphan->{remedy}") if defined($orphan->{remedy});
    }
    say_line('no disk is without a guest, and no guest without its disk') if !$orphans->@*;
    return;
}

sub show ($result, $schema, $options) {
    print_result($result, $schema, $options, \&text);
    my $is_unknown = grep { $_->{kind} eq 'unknown' } $result->@*;
    exit($is_unknown ? EXIT_FAILED : $result->@* ? EXIT_WARNED : EXIT_OK);
}

1;

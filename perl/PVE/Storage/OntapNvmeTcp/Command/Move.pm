# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Command::Move;

use v5.36;

use parent qw(PVE::RESTHandler);

use PVE::Storage;

use PVE::Storage::OntapNvmeTcp::Border qw(native);
use PVE::Storage::OntapNvmeTcp::Command qw(
    EXIT_OK chosen_sections print_result say_line run_task under_storage_lock
);
use PVE::Storage::OntapNvmeTcp::VolumeName qw(clean_volume_name parse_volume_name lowest_free_name);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Command::Move - a disk goes to another aggregate or storage without being copied

=head1 DESCRIPTION

To another aggregate the array moves it while it is used. To another storage of the same SVM it goes by
getting another name and mark: the former storage hands it over, the other one takes it over, and the VM's
configuration follows, all under the lock of the configuration. Between any two of these the disk is in the
list of exactly one storage, and its mark says where it came from, so that repeating finishes it.

=cut

__PACKAGE__->register_method({
    name => 'move',
    path => 'move',
    method => 'POST',
    description => 'Has the array move a disk to another aggregate while it is used, and says how far that'
        . ' is. The disk keeps its name. Needs an account of the cluster. Or gives the disk of a stopped VM to'
        . ' another storage of the same SVM, without a copy.',
    parameters => {
        additionalProperties => 0,
        properties => {
            volume => {
                type => 'string',
                format => 'pve-volume-id',
                description => 'A disk, as STORAGE:VOLUME.',
            },
            aggregate => {
                type => 'string',
                description => 'Where to; without one, only says where the disk is.',
                optional => 1,
            },
            storage => {
                type => 'string',
                format => 'pve-storage-id',
                description => 'The storage of the type ontapnvme, on the same SVM, that gets the disk.',
                optional => 1,
            },
        },
    },
    returns => {
        type => 'object',
        properties => {
            volume => { type => 'string' },
            former => { type => 'string', optional => 1 },
            aggregate => { type => 'string', optional => 1 },
            destination => { type => 'string', optional => 1 },
            percent => { type => 'integer', optional => 1 },
            state => { type => 'string', optional => 1 },
        },
    },
    code => sub ($param) {
        die "a disk goes to a storage or to an aggregate, not to both at once\n"
            if defined($param->{storage}) && defined($param->{aggregate});
        return defined($param->{storage}) ? _give($param) : _move($param);
    },
});

# The array says whether there is such an aggregate.
my sub clean_aggregate ($text) {
    return $text =~ /\A([\w.-]+)\z/a ? $1 : die "'$text' cannot be the name of an aggregate\n";
}

sub _move ($param) {
    my ($storage, $volume) = PVE::Storage::parse_volume_id($param->{volume});
    my ($chosen) = chosen_sections($storage);
    my ($id, $scfg) = $chosen->@*;
    my $name = clean_volume_name($volume);
    my $aggregate = defined($param->{aggregate}) ? clean_aggregate($param->{aggregate}) : undef;
    my $where = native($id, $scfg, sub ($client, $) {
        $client->start_move($name, $aggregate) if defined($aggregate);
        return $client->where_is($name);
    });
    return {
        volume => "$id:$name",
        aggregate => $where->{place},
        percent => $where->{percent},
        map { defined($where->{$_}) ? ($_ => $where->{$_}) : () } qw(destination state),
    };
}

# ---- to another storage

# All volumes that stand in the configuration, also in those of its snapshots.
my sub volumes_in ($conf) {
    my %found;
    for my $section ($conf, values(($conf->{snapshots} // {})->%*), $conf->{pending} // {}) {
        PVE::QemuConfig->foreach_volume_full($section, { include_unused => 1, extra_keys => ['vmstate'] },
            sub ($slot, $drive) { $found{ $drive->{file} } = 1 });
    }
    return \%found;
}

my sub movable ($vmid, $volume) {
    my $conf = PVE::QemuConfig->load_config($vmid);
    PVE::QemuConfig->check_lock($conf);
    die "cannot give '$volume' to another storage while VM $vmid runs: shut the VM down, or copy the disk"
        . " while it runs ('qm disk move')\n" if PVE::QemuServer::check_running($vmid);
    return $conf;
}

# What it is to be called there: as it is now, where that is free.
my sub new_name ($name, $taken) {
    my $leaf = $name->{leaf};
    return $leaf if !grep { m{(?:\A|/)\Q$leaf\E\z} } $taken->@*;
    die "the other storage has a volume '$leaf' already\n" if $leaf !~ /-disk-[0-9]+\z/;
    return lowest_free_name($name->{vmid}, $taken);
}

# One that an earlier call has handed over, of which the configuration does not know yet.
my sub handed_over ($vmid, $volume, $to, $conf) {
    my $found = native($to->@*, sub ($client, $) { $client->moved_volumes($vmid, $volume) });
    my $known = volumes_in($conf);
    # One only, whether a configuration has it: of several that were called so, one after the other, the mark
    # does not tell which one is meant.
    return $found->[0] if $found->@* == 1 && ($known->{$volume} xor $known->{"$to->[0]:$found->[0]"});
    die "there is no volume '$volume', and none on storage '$to->[0]' that is known to have been it\n"
        if !$found->@*;
    die "there is no volume '$volume'; called so, before they moved to storage '$to->[0]', were: "
        . join(', ', map { "$to->[0]:$_" } $found->@*)
        . "; look at each ('ontapnvme explain VOLUME'), and enter the right one by hand in"
        . " '/etc/pve/qemu-server/$vmid.conf'\n";
}

my sub give_and_write ($name, $from, $to) {
    my ($vmid, $volume) = ($name->{vmid}, "$from->[0]:$name->{text}");
    my $conf = movable($vmid, $volume);
    my $identity = native($to->@*, sub ($client, $) { $client->identity() });
    my $there = native($to->@*, sub ($client, $) { $client->list($vmid) });
    my $wanted = new_name($name, [map { $_->{volume_name} } $there->@*]);
    my $moved = under_storage_lock($from->@*, sub ($client, $) {
        return $client->hand_over($name->{text}, $to->[0], $identity, $wanted);
    });
    $moved = handed_over($vmid, $volume, $to, $conf) if $moved eq '';
    under_storage_lock($to->@*, sub ($client, $) { $client->take_over($moved) });
    my $now = "$to->[0]:$moved";
    print "'$volume' is '$now'\n";
    return if !volumes_in($conf)->{$volume};
    my $is_written = eval {
        PVE::QemuConfig->update_volume_ids($conf, { $volume => $now });
        PVE::QemuConfig->write_config($vmid, $conf);
        1;
    };
    die "'$volume' is '$now' on the array, but not in the configuration of VM $vmid: ", $@ =~ s/\n\z//r,
        "; repeat the command, which goes on from there\n" if !$is_written;
    return;
}

sub _give ($param) {
    # Only here: it is much of Proxmox VE's code, and aggregates need none of it.
    require PVE::QemuConfig;
    require PVE::QemuServer;
    my ($storage, $volume) = PVE::Storage::parse_volume_id($param->{volume});
    my ($from) = chosen_sections($storage);
    my ($to) = chosen_sections($param->{storage});
    die "'$param->{volume}' is on storage '$to->[0]'\n" if $from->[0] eq $to->[0];
    my $name = parse_volume_name($volume);
    my ($vmid, $former) = ($name->{vmid}, "$from->[0]:$name->{text}");
    my $before = volumes_in(movable($vmid, $former));
    my $environment = PVE::RPCEnvironment::get();
    run_task("moving '$former' to storage '$to->[0]'", sub {
        return $environment->fork_worker('qmmove', $vmid, $environment->get_user(), sub {
            PVE::QemuConfig->lock_config($vmid, sub { give_and_write($name, $from, $to) });
        });
    });
    # Of several that were called so, the one that this call has entered.
    my $found = native($to->@*, sub ($client, $) { $client->moved_volumes($vmid, $former) });
    my $known = volumes_in(PVE::QemuConfig->load_config($vmid));
    my @new = grep { $known->{$_} && !$before->{$_} } map { "$to->[0]:$_" } $found->@*;
    my ($now) = (@new, (grep { $known->{$_} } map { "$to->[0]:$_" } $found->@*), map { "$to->[0]:$_" } $found->@*);
    return { volume => $now, former => $former };
}

my sub text ($place) {
    return say_line("'$place->{former}' is '$place->{volume}' now, and in the configuration of its VM")
        if defined($place->{former});
    my ($volume, $aggregate, $destination) = $place->@{qw(volume aggregate destination)};
    my $state = defined($place->{state}) ? ", $place->{state}" : '';
    if (!defined($destination)) {
        my $last = $state =~ /\A, (?:failed|aborted)\z/ ? ": its last move was not done$state" : '';
        return say_line("$volume is on aggregate $aggregate$last");
    }
    say_line("$volume moves from aggregate $aggregate to $destination: $place->{percent} %$state");
    say_line("    > ontapnvme move $volume");
    return;
}

sub show ($result, $schema, $options) {
    print_result($result, $schema, $options, \&text);
    exit(EXIT_OK);
}

1;

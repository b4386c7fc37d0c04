# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Command::Undelete;

use v5.36;

use parent qw(PVE::RESTHandler);

use POSIX qw(strftime);
use PVE::RPCEnvironment;
use PVE::Storage;

use PVE::Storage::OntapNvmeTcp::Border qw(native);
use PVE::Storage::OntapNvmeTcp::Command qw(
    EXIT_OK EXIT_FAILED chosen_sections complete_storages confirm print_result run_task say_error say_line
    under_storage_lock
);
use PVE::Storage::OntapNvmeTcp::GuestConfigs qw(enter_unused place_of_unused);
use PVE::Storage::OntapNvmeTcp::VolumeName qw(clean_volume_name);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Command::Undelete - deleted disks, and how they come back

=cut

__PACKAGE__->register_method({
    name => 'undelete',
    path => 'undelete',
    method => 'POST',
    description => 'Lists the deleted disks that the array still has in its recovery queue, or brings one back'
        . ' under its name, with its bytes and snapshots, as an unused disk of its guest.',
    parameters => {
        additionalProperties => 0,
        properties => {
            target => {
                type => 'string',
                description => 'A disk to bring back, as STORAGE:VOLUME; or a storage whose deleted disks are'
                    . ' listed; without one, those of all storages.',
                optional => 1,
                completion => \&complete_storages,
            },
            'queued-as' => {
                type => 'string',
                description => 'Which one, where several disks of that name were deleted: its name in the queue.',
                optional => 1,
            },
            yes => { type => 'boolean', description => 'Do not ask before bringing it back.', optional => 1 },
        },
    },
    returns => {
        type => 'object',
        properties => {
            deleted => {
                type => 'array',
                optional => 1,
                items => {
                    type => 'object',
                    properties => {
                        storage => { type => 'string' },
                        volume => { type => 'string', optional => 1 },
                        vmid => { type => 'integer', optional => 1 },
                        queued_as => { type => 'string', optional => 1 },
                        deleted_at_s => { type => 'integer', optional => 1 },
                        kept_until_s => { type => 'integer', optional => 1 },
                        error => { type => 'string', optional => 1 },
                    },
                },
            },
            volume => { type => 'string', optional => 1 },
            vmid => { type => 'integer', optional => 1 },
            slot => { type => 'string', optional => 1 },
            remedy => { type => 'string', optional => 1 },
        },
    },
    code => sub ($param) {
        my $target = $param->{target} // '';
        return _bring_back($target, $param) if $target =~ /:/;
        return { deleted => [map { _deleted_of($_->@*) } chosen_sections($target eq '' ? () : $target)] };
    },
});

# ---- the list

sub _deleted_of ($id, $scfg) {
    my $deleted = eval { native($id, $scfg, sub ($client, $) { $client->list_deleted() }) };
    return { storage => $id, error => $@ =~ s/\n\z//r } if !$deleted;
    return map {
        my $one = $_;
        {
            storage => $id,
            volume => $one->{volume_name},
            queued_as => $one->{queued_as},
            map { defined($one->{$_}) ? ($_ => $one->{$_} + 0) : () } qw(vmid deleted_at_s kept_until_s),
        }
    } $deleted->@*;
}

# ---- bringing back

# The array says whether there is such a one.
my sub clean_queued_name ($text) {
    return $text =~ /\A([A-Za-z_][A-Za-z0-9_]{0,202})\z/ ? $1
        : die "'$text' cannot be a name of the recovery queue\n";
}

sub _bring_back ($target, $param) {
    require PVE::Tools; # only here: looking does not need it
    my ($storage, $volume) = PVE::Storage::parse_volume_id($target);
    my ($chosen) = chosen_sections($storage);
    my ($id, $scfg) = $chosen->@*;
    my $name = clean_volume_name($volume);
    my $leaf = $name =~ s{.*/}{}r;
    my $vmid = $leaf =~ /\A(?:vm|base)-([0-9]+)-/ ? $1 : die "'$target' is no disk\n";
    my $queued_as = defined($param->{'queued-as'}) ? clean_queued_name($param->{'queued-as'}) : undef;
    confirm("Disk $id:$name comes back from the array's recovery queue, as an unused disk of guest $vmid.",
        $param->{yes});
    my $environment = PVE::RPCEnvironment::get();
    run_task("bringing back $id:$name", sub {
        return $environment->fork_worker('ontapnvmeundelete', $vmid, $environment->get_user(), sub {
            my $back = under_storage_lock($id, $scfg, sub ($client, $) {
                return $client->undelete($name, $queued_as);
            });
            print "$id:$back is back\n";
            eval { enter_unused("$id:$back", $leaf, $vmid); 1 }
                or print "it could not be entered in the configuration of guest $vmid: $@";
        });
    });
    my $info = native($id, $scfg, sub ($client, $) { $client->info($leaf) });
    return { volume => "$id:$info->{volume_name}", vmid => $vmid + 0, place_of_unused($id, $leaf, $vmid) };
}

# ---- showing

my sub utc ($time_s) { return strftime('%Y-%m-%d %H:%M:%SZ', gmtime($time_s)) }

my sub described ($one) {
    my $line = "$one->{storage}:$one->{volume}";
    $line .= ', deleted ' . utc($one->{deleted_at_s}) if defined($one->{deleted_at_s});
    return "$line, it is not known for how long it stays" if !defined($one->{kept_until_s});
    my $left_s = $one->{kept_until_s} - time();
    return "$line, may be gone at any time" if $left_s <= 0;
    return sprintf('%s, stays for %d h %d min', $line, $left_s / 3600, $left_s % 3600 / 60);
}

my sub show_deleted ($deleted) {
    my @seen = grep { !defined($_->{error}) } $deleted->@*;
    my %count;
    $count{"$_->{storage}:$_->{volume}"}++ for @seen;
    for my $one (@seen) {
        my $volid = "$one->{storage}:$one->{volume}";
        say_line(described($one));
        say_line("    > ontapnvme undelete $volid" . ($count{$volid} > 1 ? " --queued-as $one->{queued_as}" : ''));
    }
    say_line('nothing in the recovery queue has a name of these storages') if !$deleted->@*;
    return;
}

my sub text ($result) {
    return show_deleted($result->{deleted}) if $result->{deleted};
    my $where = defined($result->{slot}) ? ": guest $result->{vmid} has it as $result->{slot}" : '';
    say_line("$result->{volume} is back$where");
    say_line("    > $result->{remedy}") if defined($result->{remedy});
    return;
}

sub show ($result, $schema, $options) {
    print_result($result, $schema, $options, \&text);
    my @failed = grep { defined($_->{error}) } ($result->{deleted} // [])->@*;
    say_error($_->{error}) for @failed;
    exit(@failed ? EXIT_FAILED : EXIT_OK);
}

1;

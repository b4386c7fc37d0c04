# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Command::Adopt;

use v5.36;

use parent qw(PVE::RESTHandler);

use PVE::JSONSchema;
use PVE::RPCEnvironment;

use PVE::Storage::OntapNvmeTcp::Border qw(native);
use PVE::Storage::OntapNvmeTcp::Command qw(
    EXIT_OK chosen_sections complete_storages confirm print_result run_task say_line under_storage_lock
);
use PVE::Storage::OntapNvmeTcp::GuestConfigs qw(enter_unused place_of_unused);
use PVE::Storage::OntapNvmeTcp::VolumeName qw(clean_vmid);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Command::Adopt - namespaces and LUNs that others made become disks

=head1 DESCRIPTION

The library looks first, and says what is in the way or what comes along; that is what the question shows. What
it does then it can go on with, so that the command is given again after a failure.

=cut

__PACKAGE__->register_method({
    name => 'adopt',
    path => 'adopt',
    method => 'POST',
    description => 'Makes a namespace or a LUN of the array a disk of a guest, where it is: its bytes are not'
        . ' copied.',
    parameters => {
        additionalProperties => 0,
        properties => {
            storage => {
                type => 'string',
                description => 'The storage, of the type ontapnvme, whose disk it becomes.',
                completion => \&complete_storages,
            },
            namespace => {
                type => 'string',
                description => 'Its path on the array: /vol/VOLUME/NAME.',
                optional => 1,
            },
            lun => {
                type => 'string',
                description => 'Likewise of a LUN, which the array converts to a namespace first, in place.',
                optional => 1,
            },
            vmid => PVE::JSONSchema::get_standard_option('pve-vmid', {
                description => 'The guest that gets it, as an unused disk.',
            }),
            yes => { type => 'boolean', description => 'Do not ask before adopting.', optional => 1 },
        },
    },
    returns => {
        type => 'object',
        properties => {
            volume => { type => 'string' },
            vmid => { type => 'integer' },
            slot => { type => 'string', optional => 1 },
            remedy => { type => 'string', optional => 1 },
        },
    },
    code => sub ($param) { return _adopt($param) },
});

# What the array may be asked for; whether it has that, it says itself.
my sub path_of ($param) {
    my @given = grep { defined } $param->@{qw(namespace lun)};
    die "say what is to be adopted: --namespace PATH or --lun PATH, one of them\n" if @given != 1;
    return $given[0] =~ m{\A(/vol/[A-Za-z0-9_]+/[\x21-\x7e]{1,255})\z} ? $1
        : die "'$given[0]' is no path of the array: give it as the array shows it, /vol/VOLUME/NAME\n";
}

my sub question ($id, $path, $is_lun, $vmid, $found) {
    my $what = ($is_lun ? 'LUN' : 'Namespace') . " $path";
    return "$what is disk $id:$found->{volume_name} already; what is left to be done about it is done now."
        if defined($found->{volume_name});
    my $size = sprintf('%.2f GiB', $found->{size_bytes} / 2**30);
    my @lines = ("$what, $size, becomes an unused disk of guest $vmid, where it is.");
    push(@lines, 'The array converts it to a namespace: hosts that used it by iSCSI or Fibre Channel cannot any more.'
        . ' A way back is an operation of the array only, this command has none.') if $is_lun;
    return join("\n  - ", @lines, $found->{remarks}->@*);
}

sub _adopt ($param) {
    # Only here: a program that has other things to do needs none of it.
    require PVE::Tools;
    my $path = path_of($param);
    my $is_lun = defined($param->{lun}) ? 1 : 0;
    my $vmid = clean_vmid($param->{vmid});
    my ($chosen) = chosen_sections($param->{storage});
    my ($id, $scfg) = $chosen->@*;
    my $found = native($id, $scfg, sub ($client, $) { $client->examine_for_adoption($path, $is_lun, $vmid) });
    confirm(question($id, $path, $is_lun, $vmid, $found), $param->{yes});
    my $environment = PVE::RPCEnvironment::get();
    run_task("adopting $path", sub {
        return $environment->fork_worker('ontapnvmeadopt', $vmid, $environment->get_user(), sub {
            my $name = under_storage_lock($id, $scfg, sub ($client, $) { $client->adopt($path, $is_lun, $vmid) });
            print "$path is $id:$name\n";
            eval { enter_unused("$id:$name", $name =~ s{.*/}{}r, $vmid); 1 }
                or print "it could not be entered in the configuration of guest $vmid: $@";
        });
    });
    # Its name the task knows, which is another process: the library finds what it has adopted.
    my $done = native($id, $scfg, sub ($client, $) { $client->examine_for_adoption($path, $is_lun, $vmid) });
    my $name = $done->{volume_name}
        // die "'$path' is not adopted, although the task says so: look at it on the array\n";
    # A guest that moves to another node at this moment may keep configurations from being read.
    my %place = eval { place_of_unused($id, $name =~ s{.*/}{}r, $vmid) };
    %place = (remedy => "qm disk rescan --vmid $vmid") if !%place;
    return { volume => "$id:$name", vmid => $vmid + 0, %place };
}

my sub text ($result) {
    my $where = defined($result->{slot}) ? ": guest $result->{vmid} has it as $result->{slot}" : '';
    say_line("$result->{volume} is adopted$where");
    say_line("    > $result->{remedy}") if defined($result->{remedy});
    return;
}

sub show ($result, $schema, $options) {
    print_result($result, $schema, $options, \&text);
    exit(EXIT_OK);
}

1;

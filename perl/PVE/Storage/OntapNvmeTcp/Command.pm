# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Command;

use v5.36;

use Exporter qw(import);

use PVE::CLIFormatter;
use PVE::JSONSchema;
use PVE::Storage;

use PVE::Storage::OntapNvmeTcp::Border qw(marking);
use PVE::Storage::OntapNvmeTcp::GuestConfigs qw(read_configs referenced_volumes);

our @EXPORT_OK = qw(
    EXIT_OK EXIT_FAILED EXIT_WARNED EXIT_USAGE
    our_sections chosen_sections output_options storage_parameter print_result say_line say_error
    confirm run_task under_storage_lock
    complete_storages complete_volumes
);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Command - what the verbs of ontapnvme(8) share

=head1 DESCRIPTION

A verb is a module in F<Command/>: a method of Proxmox VE's kind that finds out and returns data, and
C<show>, which prints it and ends the program. Both are only ever loaded by the program.

=over

=item EXIT_OK, EXIT_FAILED, EXIT_WARNED, EXIT_USAGE

What the program ends with. The last is Proxmox VE's own, for a command that it cannot understand.

=item our_sections

The sections of storage.cfg by storage id that are of our type and enabled on this node.

=item chosen_sections(@storeids)

Those of them that are named, or all: C<[id, section]> each. Dies for a name that is none of them.

=item output_options

The options that every verb has besides its own: C<--output-format>.

=item storage_parameter

The description of a parameter: one storage of those, or all.

=item print_result($result, $schema, $options, $text)

Prints the data in the form that was asked for; C<$text> is called for C<text>.

=item say_line($line), say_error($line)

One line of text, encoded, to standard output or standard error.

=item confirm($question, $is_agreed)

Asks on the terminal whether to go on, unless that is agreed. Dies for anything but a yes, and where there is
no terminal to ask on.

=item run_task($what, $start)

Runs a task of Proxmox VE's: C<$start> begins it and returns its UPID. What it says goes to standard error,
since it is not the result. Dies when the task fails, with C<$what>.

=item under_storage_lock($storeid, $scfg, $code)

The result of C<$code>, which is called as by Border's C<marking>, while Proxmox VE's lock of the storage is held.

=item complete_storages

For the completion of a storage's name.

=item complete_volumes

For the completion of a volume's, as far as the configurations of guests have them: the array is not asked.

=back

=cut

use constant { EXIT_OK => 0, EXIT_FAILED => 1, EXIT_WARNED => 2, EXIT_USAGE => 255 };

sub our_sections {
    my $cfg = PVE::Storage::config();
    my $ids = $cfg->{ids};
    return {
        map { $_ => $ids->{$_} }
        grep {
            $ids->{$_}{type} eq 'ontapnvme' && PVE::Storage::storage_check_enabled($cfg, $_, undef, 1)
        } keys($ids->%*)
    };
}

sub chosen_sections (@storeids) {
    my $sections = our_sections();
    for my $id (@storeids) {
        die "no storage of the type ontapnvme is enabled here under the name '$id'\n"
            if !$sections->{$id};
    }
    # The configuration's own spelling of a name is not tainted.
    my %clean = map { $_ => $_ } keys($sections->%*);
    return map { [$clean{$_}, $sections->{$_}] } @storeids ? @storeids : sort(keys($sections->%*));
}

sub output_options {
    return { 'output-format' => PVE::JSONSchema::get_standard_option('pve-output-format') };
}

sub storage_parameter {
    return {
        type => 'string',
        description => 'A storage of the type ontapnvme; without one, all that are enabled here.',
        optional => 1,
        completion => \&complete_storages,
    };
}

sub print_result ($result, $schema, $options, $text) {
    if (($options->{'output-format'} // 'text') eq 'text') {
        $text->($result);
    } else {
        PVE::CLIFormatter::print_api_result($result, $schema, undef, $options);
    }
    return;
}

sub say_line ($line) {
    utf8::encode($line);
    print "$line\n";
    return;
}

sub say_error ($line) {
    utf8::encode($line);
    print STDERR "$line\n";
    return;
}

sub confirm ($question, $is_agreed) {
    return if $is_agreed;
    die "$question\nsay so with --yes\n" if !-t STDIN;
    print STDERR "$question [y/N] ";
    die "nothing was changed\n" if (readline(STDIN) // '') !~ /\Ay(?:es)?\s*\z/i;
    return;
}

sub run_task ($what, $start) {
    open(my $result, '>&', \*STDOUT) or die "cannot keep the output: $!\n";
    open(STDOUT, '>&', \*STDERR) or die "cannot redirect the output: $!\n";
    my $upid = eval { $start->() };
    my $error = $@;
    open(STDOUT, '>&', $result) or die "cannot restore the output: $!\n";
    die $error if !defined($upid);
    my $status = PVE::Tools::upid_read_status($upid);
    die "$what failed: $status\n" if PVE::Tools::upid_status_is_error($status);
    return;
}

sub under_storage_lock ($storeid, $scfg, $code) {
    my $plugin = PVE::Storage::Plugin->lookup($scfg->{type});
    return $plugin->cluster_lock_storage($storeid, $scfg->{shared}, undef, sub {
        return marking($storeid, $scfg, $code);
    });
}

sub complete_storages {
    return [sort(keys(our_sections()->%*))];
}

sub complete_volumes {
    my $configs = eval { read_configs() } // return [];
    return [
        map {
            my $id = $_;
            map { "$id:$_" } sort(keys(referenced_volumes($id, $configs)->%*))
        } sort(keys(our_sections()->%*))
    ];
}

1;

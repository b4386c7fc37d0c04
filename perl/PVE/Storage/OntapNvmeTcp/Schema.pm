# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Schema;

use v5.36;

use PVE::Storage::OntapNvmeTcp::Error qw(refuse);
use PVE::Storage::OntapNvmeTcp::SettingsTable;

=head1 NAME

PVE::Storage::OntapNvmeTcp::Schema - the settings that a storage of the type ontapnvme knows

=head1 DESCRIPTION

What the table of settings says, in the shapes that Proxmox VE wants. The library checks the settings as
a whole, and knows the rules between them. Properties are global in Proxmox VE; declaring one that another storage type
also declares makes every daemon unloadable. So whatever is declared elsewhere is only listed as an
option.

=over

=item properties($registry, $type)

The properties that neither the base class nor a class of another type declares for everybody.
C<$registry> is what C<< PVE::Storage::Plugin->private() >> returns.

=item options

=item settings($scfg)

A hash reference of what concerns the library, as clean text.

=item setting_names, verified_names, applied_names

The names of the settings that stand in storage.cfg and concern the library; those among them whose
change is worth asking the array about; those whose change also concerns disks that are there.

=back

=cut

my @rows = PVE::Storage::OntapNvmeTcp::SettingsTable::rows();
my %properties = map { $_->{name} => $_->{property} } @rows;
# What stands in storage.cfg.
my @public = grep { !defined($_->{secret_suffix}) } @rows;

# What the base class declares; later its list also has what the plugins declared, this one's
# included.
my $base_names;
# The last answer, and for which types it was given.
my ($answered_for, $answer);
our $is_asking;

# The names that one plugin declares for everybody.
my sub names_declared_by ($class, $plugindata) {
    my $declared = eval { $class->properties() };
    return if ref($declared) ne 'HASH';
    my $exposed = $plugindata->{'isolate-properties'} ? $plugindata->{'expose-properties'} : 1;
    return grep { ref($exposed) eq 'HASH' ? $exposed->{$_} : $exposed } keys($declared->%*);
}

sub properties ($registry, $type) {
    # A plugin that does the same asks back: it gets everything, and gives way.
    return {%properties} if $is_asking;
    local $is_asking = 1;

    my $plugins = $registry->{plugins} // {};
    my @others = grep { $_ ne $type } sort(keys($plugins->%*));
    # The answer must stay what it was: by now another plugin may have taken it into account.
    my $asked_for = join("\0", @others);
    return {%$answer} if defined($answered_for) && $answered_for eq $asked_for;

    $base_names //= { ($registry->{'base-property-list'} // $registry->{propertyList} // {})->%* };
    my %mine = %properties;
    delete(@mine{ keys($base_names->%*) });
    for my $other (@others) {
        my $plugindata = ($registry->{plugindata} // {})->{$other} // {};
        delete(@mine{ names_declared_by($plugins->{$other}, $plugindata) });
    }
    ($answered_for, $answer) = ($asked_for, \%mine);
    return {%mine};
}

sub options {
    my %options = map { $_ => { optional => 1 } } keys(%properties);
    $options{ $_->{name} } = {} for grep { $_->{is_required} } @rows;
    $options{ $_->{name} } = { fixed => 1 } for grep { $_->{is_fixed} } @rows;
    # Proxmox VE's own.
    $options{$_} = { optional => 1 } for qw(content nodes disable shared bwlimit);
    return \%options;
}

sub setting_names {
    return map { $_->{name} } @public;
}

sub settings ($scfg) {
    my %settings;
    for my $key (setting_names()) {
        next if !defined($scfg->{$key});
        # Taken as it is, minus what storage.cfg cannot hold; the library says what is wrong with
        # it.
        my ($value) = $scfg->{$key} =~ /\A([^\x00-\x1f\x7f]*)\z/;
        refuse('invalid-argument', "cannot use setting '$key': it must be one line of text")
            if !defined($value);
        # storage.cfg holds bytes, the API hands over characters: either way these are characters
        # now.
        utf8::decode($value);
        $settings{$key} = $value;
    }
    return \%settings;
}

sub verified_names {
    return map { $_->{name} } grep { $_->{is_verified} } @public;
}

sub applied_names {
    return map { $_->{name} } grep { $_->{is_applied} } @public;
}

1;

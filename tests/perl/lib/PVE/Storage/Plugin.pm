# SPDX-License-Identifier: AGPL-3.0-or-later
# Stand-in: registration, the schema's rules and the checks of a section, as far as a plugin
# notices. Every hook of the base class dies: a plugin for block devices of its own must not reach
# one.
package PVE::Storage::Plugin;

use v5.36;

our @SHARED_STORAGE = ('rbd');

my %base_properties = map { $_ => { type => 'string' } }
    qw(type storage nodes content disable shared prune-backups options port bwlimit);

my $data = { propertyList => {%base_properties}, plugins => {}, plugindata => {}, options => {} };

sub private { return $data }

sub register {
    my ($class) = @_;

    my $type = $class->type();
    die "duplicate plugin registration (type = $type)\n" if $data->{plugins}{$type};
    $data->{plugins}{$type} = $class;
    $data->{plugindata}{$type} = $class->plugindata();
    return;
}

sub lookup {
    my ($class, $type) = @_;

    return $data->{plugins}{$type} // die "unknown section type '$type'\n";
}

sub init {
    $data->{propertyList} = {%base_properties};
    for my $type (keys($data->{plugins}->%*)) {
        my $properties = $data->{plugins}{$type}->properties();
        for my $name (keys($properties->%*)) {
            die "duplicate property '$name'" if $data->{propertyList}{$name};
            $data->{propertyList}{$name} = { $properties->{$name}->%*, optional => 1 };
        }
    }
    for my $type (keys($data->{plugins}->%*)) {
        my $options = $data->{plugins}{$type}->options();
        for my $name (keys($options->%*)) {
            die "undefined property '$name'" if !$data->{propertyList}{$name};
        }
        $data->{options}{$type} = $options;
    }
    return;
}

# As for a test that wants to start over.
sub reset_registry {
    $data->@{qw(propertyList plugins plugindata options)} = ({%base_properties}, {}, {}, {});
    return;
}

# One process is the whole cluster here; tests with more of them put their own in its place.
my %is_locked;

sub cluster_lock_storage {
    my ($class, $storeid, $shared, $timeout, $code, @arguments) = @_;

    die "cfs-lock 'storage-$storeid' error: got lock request timeout\n" if $is_locked{$storeid};
    local $is_locked{$storeid} = 1;
    return scalar($code->(@arguments));
}

sub check_config {
    my ($class, $storeid, $config, $create, $skip_schema_check) = @_;

    my $options = $data->{options}{ $class->type() };
    my $settings = { type => $class->type() };
    for my $name (keys($config->%*)) {
        die "can't change value of fixed parameter '$name'\n"
            if !$create && $options->{$name} && $options->{$name}{fixed};
        $settings->{$name} = $config->{$name};
    }
    if ($create) {
        for my $name (grep { !$options->{$_}{optional} } keys($options->%*)) {
            die "missing value for required option '$name'\n" if !defined($config->{$name});
        }
    }
    return $settings;
}

sub list_volumes { return [] }
sub properties { return {} }
sub plugindata { return { content => [{ images => 1 }, { images => 1 }] } }

for my $hook (qw(
    options parse_volname path filesystem_path create_base clone_image alloc_image free_image
    list_images status activate_storage deactivate_storage check_connection activate_volume
    deactivate_volume map_volume unmap_volume volume_size_info volume_resize volume_snapshot
    volume_snapshot_delete volume_snapshot_info volume_snapshot_rollback
    volume_rollback_is_possible volume_snapshot_needs_fsfreeze volume_has_feature volume_export
    volume_export_formats volume_import volume_import_formats rename_volume rename_snapshot
    get_formats get_identity get_volume_attribute update_volume_attribute qemu_blockdev_options
    volume_qemu_snapshot_method storage_can_replicate find_free_diskname on_add_hook
    on_update_hook on_update_hook_full on_delete_hook
)) {
    no strict 'refs';
    *{$hook} = sub { die "the base class was asked for $hook\n" };
}

1;

#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use mro;

use Test::More;

use HookTest qw(PLUGIN is_real_pve perl_output);

my $plugin = PLUGIN;

# Runs the loader's steps in a perl of its own, for a host of one API version.
my sub loaded_by_host ($version, $code = '') {
    return perl_output([], '-e', <<~"END");
        BEGIN {
            require PVE::Storage;
            no warnings 'redefine';
            *PVE::Storage::APIVER = sub { $version };
        }
        require $plugin;
        $plugin->register();
        PVE::Storage::Plugin->init();
        $code
        print $plugin->api();
        END
}

subtest 'a host of any API version gets one that it accepts, or refuses with reason' => sub {
    plan(skip_all => 'the version of a real host is a constant') if is_real_pve();
    my %expected = (10 => 11, 11 => 11, 12 => 12, 13 => 13, 14 => 14, 15 => 15, 16 => 15);
    for my $version (sort(keys(%expected))) {
        my ($text, $status) = loaded_by_host($version);
        is($text, $expected{$version}, "API $version, and nothing else is printed");
        is($status, 0, "API $version: it loads");
    }
};

subtest 'the API version of this host is served' => sub {
    plan(skip_all => 'only with a real host') if !is_real_pve();
    my ($text, $status) = perl_output(
        [], '-e',
            "require PVE::Storage; require $plugin; print PVE::Storage::APIVER() - $plugin->api()",
    );
    is($text, '0', 'it is the same, and nothing else is printed');
};

subtest 'loading has no effect that can be seen' => sub {
    my ($text, $status) = perl_output([], '-e', "require $plugin");
    is($text, '', 'prints nothing');
    is($status, 0, 'works');
    ($text) = perl_output([], '-e',
        "require $plugin; print grep { m{OntapNvmeTcp/Native} } keys(%INC)");
    is($text, '', 'loads no native code');
};

subtest 'perl -c is content' => sub {
    for my $file (qw(
        PVE/Storage/Custom/OntapNvmeTcpPlugin.pm PVE/Storage/OntapNvmeTcp.pm
        PVE/Storage/OntapNvmeTcp/Border.pm PVE/Storage/OntapNvmeTcp/ClusterId.pm
        PVE/Storage/OntapNvmeTcp/Error.pm PVE/Storage/OntapNvmeTcp/Hooks/Attributes.pm
        PVE/Storage/OntapNvmeTcp/Hooks/Configuration.pm PVE/Storage/OntapNvmeTcp/Hooks/Devices.pm
        PVE/Storage/OntapNvmeTcp/Hooks/Snapshots.pm PVE/Storage/OntapNvmeTcp/Hooks/Storage.pm
        PVE/Storage/OntapNvmeTcp/Hooks/Transfer.pm PVE/Storage/OntapNvmeTcp/Hooks/Volumes.pm
        PVE/Storage/OntapNvmeTcp/Messages.pm PVE/Storage/OntapNvmeTcp/PrivateFiles.pm
        PVE/Storage/OntapNvmeTcp/Schema.pm PVE/Storage/OntapNvmeTcp/Secrets.pm
        PVE/Storage/OntapNvmeTcp/Sections.pm PVE/Storage/OntapNvmeTcp/Version.pm
        PVE/Storage/OntapNvmeTcp/SettingsTable.pm PVE/Storage/OntapNvmeTcp/VolumeName.pm
    )) {
        my ($path) = grep { -e } map { ref ? () : "$_/$file" } @INC;
        my ($clean) = $path =~ /\A(.*)\z/;
        my ($text, $status) = perl_output([], '-wc', $clean);
        is($text, "$clean syntax OK\n", $file);
    }
};

subtest 'loading costs less than loading a JSON parser, a socket class and POSIX' => sub {
    # Milliseconds of the processor for loading something after something else; the best of some. Only the
    # ratio is judged: it is the same on a slow machine and under a sanitizer.
    my $milliseconds = sub ($before, $load) {
        my $code = <<~"END";
            use Time::HiRes qw(clock_gettime CLOCK_PROCESS_CPUTIME_ID);
            $before
            my \$start = clock_gettime(CLOCK_PROCESS_CPUTIME_ID);
            $load
            print 1000 * (clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - \$start);
            END
        my ($best) = sort { $a <=> $b } map { (perl_output([], '-e', $code))[0] } 1 .. 5;
        return $best;
    };
    # What Proxmox VE's storage modules have loaded by then is not ours; the others start from nothing, or
    # part of them would be loaded already.
    my $ours = $milliseconds->(
        'require PVE::Storage::Plugin; require Scalar::Util; require Exporter; require Errno;'
            . ' require Fcntl;',
        "require $plugin;",
    );
    my $others = $milliseconds->(
        '', 'require JSON::PP; require IO::Socket::INET; require POSIX;',
    );
    cmp_ok($ours, '<', $others, "$ours ms against $others ms");
};

subtest 'loaded before Proxmox VE\'s loader it is still loaded' => sub {
    my ($text) = perl_output([], '-e',
        "require $plugin; print $plugin->api(), ' ', $plugin->type()");
    is($text, '15 ontapnvme', 'with the newest version that was tested');
};

my @hooks = qw(
    api type plugindata properties options check_config on_add_hook on_update_hook
    on_update_hook_full on_delete_hook check_connection activate_storage deactivate_storage
    status get_formats storage_can_replicate parse_volname path filesystem_path alloc_image
    free_image list_images find_free_diskname volume_size_info activate_volume
    deactivate_volume map_volume unmap_volume qemu_blockdev_options
    volume_qemu_snapshot_method volume_has_feature volume_resize volume_snapshot
    volume_snapshot_delete volume_rollback_is_possible volume_snapshot_rollback
    volume_snapshot_info volume_snapshot_needs_fsfreeze create_base clone_image rename_volume
    rename_snapshot volume_export_formats volume_export volume_import_formats volume_import
    get_volume_attribute update_volume_attribute get_identity list_volumes
);

subtest 'every hook of the API is the plugin\'s own' => sub {
    for my $hook (@hooks) {
        my ($own, $inherited) = (PLUGIN->can($hook), PVE::Storage::Plugin->can($hook));
        ok($own && (!$inherited || $own != $inherited), $hook);
    }
};

subtest 'nothing but hooks takes the place of what Proxmox VE has' => sub {
    my %is_hook = map { $_ => 1 } @hooks, qw(cluster_lock_storage);
    no strict 'refs';
    for my $class (mro::get_linear_isa(PLUGIN)->@*) {
        last if $class eq 'PVE::Storage::Plugin';
        for my $name (grep { defined(&{"${class}::$_"}) && !$is_hook{$_} } keys(%{"${class}::"})) {
            next if $name =~ /\A(?:[A-Z_(]|BEGIN)/; # constants, and what perl makes
            ok(!PVE::Storage::Plugin->can($name), "$name of $class");
        }
    }
};

done_testing();

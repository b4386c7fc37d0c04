# SPDX-License-Identifier: AGPL-3.0-or-later
# The program ontapnvme over a PVE::Storage with a few storages and a library that answers from a
# script. The storages are `a`, `b`, `off` (not enabled here) and `local` (of another type).
package CommandTest;

use v5.36;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use JSON::PP qw(decode_json encode_json);

use HookTest qw(perl_output);

our @EXPORT_OK = qw(command guest_files program put_cluster put_module schema_of schema_faults);

my ($root) = abs_path(__FILE__) =~ m{\A(.*)/tests/perl/lib/[^/]+\z} or die;
my $scratch = tempdir(CLEANUP => 1);

sub program { return "$root/perl/ontapnvme" }

# A module that comes before the real one.
sub put_module ($file, $text) {
    my ($folder) = "$scratch/$file" =~ m{\A(.*)/};
    make_path($folder);
    open(my $module, '>', "$scratch/$file") or die "cannot write '$file': $!\n";
    print {$module} $text;
    close($module) or die "cannot write '$file': $!\n";
    return;
}

# Proxmox VE's code, as far as a verb can tell it from the real one. It says what it did: which task began
# with which lock, and what was written.
put_module('PVE/Storage.pm', <<~'END');
    package PVE::Storage;
    my %of = (type => 'ontapnvme', mgmt_ip => '192.0.2.1', shared => 1);
    my $ids = {
        local => { type => 'dir' }, a => { %of, vserver => 'svm1' }, b => { %of, vserver => 'svm2' }, off => { %of },
    };
    sub config {
        # Another cluster than this machine's, and another machine.
        $PVE::Storage::OntapNvmeTcp::GuestConfigs::nodes = "$1/nodes" if ($ENV{CLUSTER} // '') =~ /\A(.+)\z/;
        if (($ENV{PLACE} // '') =~ /\A(.+)\z/) {
            my $place = $1;
            require PVE::Storage::OntapNvmeTcp::NodeFiles;
            require PVE::Storage::OntapNvmeTcp::PrivateFiles;
            $PVE::Storage::OntapNvmeTcp::PrivateFiles::directory = "$place/priv";
            $PVE::Storage::OntapNvmeTcp::NodeFiles::root = $place;
        }
        return { ids => $ids };
    }
    sub storage_check_enabled { my ($cfg, $id) = @_; return $id ne 'off' }
    sub storage_config { my ($cfg, $id) = @_; return $ids->{$id} }
    sub parse_volume_id { return split(/:/, $_[0], 2) }
    sub volume_size_info { return 4096 }
    sub activate_volumes { my ($cfg, $volumes) = @_; print "activated: @$volumes\n" }
    package PVE::Storage::Plugin {
        sub lookup { return 'PVE::Storage::Plugin' }
        sub cluster_lock_storage {
            my ($class, $id, $shared, $timeout, $work) = @_;
            print "locked: $id\n";
            return $work->();
        }
    }
    1;
    END
put_module('PVE/RPCEnvironment.pm', <<~'END');
    package PVE::RPCEnvironment;
    require PVE::Tools;
    sub setup_default_cli_env { return }
    sub get { return bless({}) }
    sub get_user { return 'root@pam' }
    sub fork_worker {
        my ($self, $type, $id, $user, $code) = @_;
        print "task: $type $id $user\n";
        $PVE::Tools::status = eval { $code->(); 1 } ? 'OK' : $@ =~ s/\n\z//r;
        return 'UPID:1';
    }
    1;
    END
put_module('PVE/Tools.pm', <<~'END');
    package PVE::Tools;
    use JSON::PP qw(encode_json);
    our $status;
    sub upid_read_status { return $status }
    sub upid_status_is_error { return $_[0] ne 'OK' }
    sub run_command {
        my ($command, %options) = @_;
        my ($node) = grep { exists($PVE::Cluster::nodes->{$_}) } $command->@*;
        my $told = $PVE::Cluster::nodes->{$node};
        if (ref($told) eq 'HASH') {
            $options{errfunc}->($_) for split(/\n/, $told->{complains});
            return 255;
        }
        $options{outfunc}->(encode_json($told->[0]));
        return $told->[1];
    }
    1;
    END
put_module('PVE/INotify.pm', "package PVE::INotify; sub nodename { return 'pve1' } 1;\n");
put_module('PVE/SSHInfo.pm', <<~'END');
    package PVE::SSHInfo;
    sub get_ssh_info { return { name => $_[0] } }
    sub ssh_info_to_command { my ($info, @options) = @_; return ['/usr/bin/ssh', @options, $info->{name}] }
    1;
    END
# The configuration of a VM: what stands in CONFIG, as JSON; without it, its file in the folder CLUSTER.
put_module('PVE/QemuConfig.pm', <<~'END');
    package PVE::QemuConfig;
    use JSON::PP qw(decode_json);
    my $is_locked = 0;
    sub file_of {
        my ($vmid) = $_[0] =~ /\A([0-9]+)\z/;
        return ($ENV{CLUSTER} =~ /\A(.+)\z/)[0] . "/nodes/pve1/qemu-server/$vmid.conf";
    }
    sub load_config {
        my ($class, $vmid) = @_;
        return { snapshots => {}, decode_json($ENV{CONFIG})->%* } if defined($ENV{CONFIG});
        open(my $file, '<', file_of($vmid)) or die "no VM $vmid\n";
        return { map { chomp; split(/: /, $_, 2) } readline($file) };
    }
    sub is_template { return $_[1]{template} }
    sub check_lock { die "VM is locked ($_[1]{lock})\n" if $_[1]{lock} }
    sub foreach_volume {
        my ($class, $conf, $code) = @_;
        for my $slot (grep { /\A(?:scsi|ide|efidisk)[0-9]\z/ } sort(keys($conf->%*))) {
            my ($file, @options) = split(/,/, $conf->{$slot});
            $code->($slot, { file => $file, map { split(/=/, $_, 2) } @options });
        }
    }
    sub foreach_volume_full {
        my ($class, $section, $options, $code) = @_;
        for my $slot (grep { /\A(?:scsi|unused|vmstate)[0-9]*\z/ } sort(keys($section->%*))) {
            my ($file) = split(/,/, $section->{$slot});
            $code->($slot, { file => $file });
        }
    }
    sub update_volume_ids {
        my ($class, $conf, $map) = @_;
        for my $section ($conf, values($conf->{snapshots}->%*)) {
            for my $old (keys($map->%*)) {
                $_ = s/\A\Q$old\E(?=,|\z)/$map->{$old}/r for grep { !ref } values($section->%*);
            }
        }
    }
    sub add_unused_volume {
        my ($class, $conf, $volid) = @_;
        die "Too many unused volumes - please delete them first.\n" if $conf->{full};
        $conf->{unused0} = $volid;
        return 'unused0';
    }
    sub __snapshot_copy_config {
        my ($class, $from, $to) = @_;
        $to->{$_} = $from->{$_} for grep { !/\A(?:snapshots|unused[0-9])\z/ } keys($from->%*);
    }
    sub lock_config {
        my ($class, $vmid, $code) = @_;
        $is_locked = 1;
        $code->();
        $is_locked = 0;
    }
    sub write_config {
        my ($class, $vmid, $conf) = @_;
        die "no quorum\n" if $ENV{NO_QUORUM};
        die "written without the lock\n" if !$is_locked;
        if (defined($ENV{CONFIG})) {
            $ENV{CONFIG} = JSON::PP->new->canonical->encode($conf);
            print "written: $ENV{CONFIG}\n";
            return;
        }
        open(my $file, '>', file_of($vmid)) or die "cannot write $vmid: $!\n";
        print {$file} map { "$_: $conf->{$_}\n" } sort(keys($conf->%*));
        close($file);
    }
    1;
    END
put_module('PVE/QemuServer.pm', <<~'END');
    package PVE::QemuServer;
    sub check_running { return $ENV{RUNS} }
    sub is_valid_drivename { return $_[0] =~ /\A(?:scsi|ide|efidisk|tpmstate)[0-9]\z/ }
    sub parse_drive {
        my ($slot, $text) = @_;
        my ($file, @options) = split(/,/, $text);
        return { file => $file, map { split(/=/, $_, 2) } @options };
    }
    sub drive_is_cdrom { return ($_[0]{media} // '') eq 'cdrom' }
    sub drive_is_cloudinit { return $_[0]{file} =~ /cloudinit\z/ }
    sub clone_disk {
        my ($storecfg, $source, $dest, $full, $made) = @_;
        print "copied: $source->{drive}{file}\n";
        return $source->{drive};
    }
    1;
    END
# A storage's script: what each call returns, by its name, or by its name and arguments; under `die`
# what it, or all of them, die with; under `told` the calls that are to be printed.
put_module('PVE/Storage/OntapNvmeTcp/Border.pm', <<~'END');
    package PVE::Storage::OntapNvmeTcp::Border;
    use Exporter qw(import);
    use JSON::PP qw(decode_json);
    our @EXPORT_OK = qw(at_border native marking);
    sub marking { my ($id, $scfg, $code) = @_; return native($id, $scfg, $code, 1) }
    sub at_border { my ($id, $code) = @_; return $code->($id) }
    sub native {
        my ($id, $scfg, $code, $is_marking) = @_;
        my $script = decode_json($ENV{SCRIPT})->{$id} // {};
        print "marking: $id\n" if $is_marking && $script->{told}{marking};
        return $code->(bless($script, 'Scripted'), $id);
    }
    package Scripted {
        our $AUTOLOAD;
        sub AUTOLOAD {
            my ($self, @arguments) = @_;
            my $call = $AUTOLOAD =~ s/.*:://r;
            return if $call eq 'DESTROY';
            die $self->{die} if $self->{die};
            my $whole = join(' ', $call, map { ref ? @$_ : $_ } grep { defined } @arguments);
            print "called: $whole\n" if $self->{told}{$call};
            my $answer = $self->{$whole} // $self->{$call} // die "the script has no '$call'\n";
            die $answer->{die} if ref($answer) eq 'HASH' && $answer->{die};
            return $answer;
        }
    }
    1;
    END

# A cluster, of which the first node is this one. A node: what `ontapnvme` gives there, as data and exit
# code; a reference to what ssh complains of; or `offline`.
sub put_cluster (@nodes) {
    my ($here) = @nodes;
    my $script = encode_json({map { ref($_) eq 'SCALAR' ? { complains => $_->$* } : $_ } @nodes});
    put_module('PVE/Cluster.pm', <<~"END");
        package PVE::Cluster;
        use JSON::PP qw(decode_json);
        our \$nodes = decode_json(<<'SCRIPT');
        $script
        SCRIPT
        sub cfs_update { return }
        sub get_nodelist { return [keys(\$nodes->%*)] }
        sub get_members {
            return { map { \$_ => { online => (\$nodes->{\$_} // '') eq 'offline' ? 0 : 1 } } keys(\$nodes->%*) };
        }
        1;
        END
    put_module('PVE/INotify.pm', "package PVE::INotify; sub nodename { return '$here' } 1;\n");
    return;
}

# The files of a cluster of two nodes, `pve1` (this one) and `pve2`, as the value of CLUSTER: what is named by
# its path below `nodes`, and folders for more.
sub guest_files (%files) {
    my ($folder) = tempdir(CLEANUP => 1) =~ /\A(.*)\z/;
    make_path(map { ("$folder/nodes/$_/qemu-server", "$folder/nodes/$_/lxc") } qw(pve1 pve2));
    for my $name (keys(%files)) {
        open(my $file, '>', "$folder/nodes/$name") or die "cannot write '$name': $!\n";
        print {$file} $files{$name};
        close($file) or die "cannot write '$name': $!\n";
    }
    return $folder;
}

# What the program says, and what it ends with. `script`: storage => { call => result }; `name`: what
# it is called by.
sub command ($script, $arguments, %more) {
    local $ENV{SCRIPT} = encode_json($script);
    # Always over the stand-ins: the real frame wants a cluster around it.
    my ($text, $status) = perl_output([$scratch, "$root/tests/perl/lib"], $more{name} // program(),
        $arguments->@*);
    return ($text, $status >> 8);
}

# Of a verb, as it stands in docs/schemas.
sub schema_of ($verb) {
    open(my $file, '<', "$root/docs/schemas/$verb.json") or die "no schema of '$verb': $!\n";
    local $/;
    return decode_json(readline($file));
}

my sub type_of ($value) {
    return 'null' if !defined($value);
    return 'array' if ref($value) eq 'ARRAY';
    return 'object' if ref($value) eq 'HASH';
    return 'boolean' if JSON::PP::is_bool($value);
    return $value =~ /\A-?[0-9]+\z/ && encode_json([$value]) !~ /"/ ? 'integer' : 'string';
}

# Where the data is not what the schema says: the words of JSON Schema that the schemas here use. A
# word that is not known is a fault as well, or it would be believed to be checked.
sub schema_faults ($data, $schema, $where = 'it') {
    my %words = $schema->%*;
    delete(@words{qw($schema title description)});
    my @faults;
    if (my $type = delete($words{type})) {
        my $is = type_of($data);
        return "$where is of the type $is, not $type" if $is ne $type;
    }
    if (my $values = delete($words{enum})) {
        push(@faults, "$where is '$data'") if !grep { $_ eq $data } $values->@*;
    }
    if (my $items = delete($words{items})) {
        push(@faults, map { schema_faults($data->[$_], $items, "$where\[$_]") } 0 .. $data->$#*);
    }
    my $properties = delete($words{properties}) // {};
    if (my $required = delete($words{required})) {
        push(@faults, map { "$where lacks $_" } grep { !exists($data->{$_}) } $required->@*);
    }
    if (defined(delete($words{additionalProperties}))) {
        push(@faults, map { "$where has $_" } grep { !$properties->{$_} } sort(keys($data->%*)));
    }
    for my $key (grep { ref($data) eq 'HASH' && exists($data->{$_}) } sort(keys($properties->%*))) {
        push(@faults, schema_faults($data->{$key}, $properties->{$key}, "$where.$key"));
    }
    push(@faults, map { "the schema says '$_' of $where, which nobody checks" } sort(keys(%words)));
    return @faults;
}

1;

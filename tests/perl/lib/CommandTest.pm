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

our @EXPORT_OK = qw(command program put_cluster put_module schema_of schema_faults);

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

put_module('PVE/Storage.pm', <<~'END');
    package PVE::Storage;
    sub config {
        # Another cluster than this machine's.
        $PVE::Storage::OntapNvmeTcp::GuestConfigs::nodes = "$1/nodes" if ($ENV{CLUSTER} // '') =~ /\A(.+)\z/;
        return { ids => {
            local => { type => 'dir' }, a => { type => 'ontapnvme' }, b => { type => 'ontapnvme' },
            off => { type => 'ontapnvme' },
        } };
    }
    sub storage_check_enabled { my ($cfg, $id) = @_; return $id ne 'off' }
    sub parse_volume_id { return split(/:/, $_[0], 2) }
    1;
    END
# A storage's script: what each call returns, by its name, or by its name and arguments; under `die`
# what it, or all of them, die with.
put_module('PVE/Storage/OntapNvmeTcp/Border.pm', <<~'END');
    package PVE::Storage::OntapNvmeTcp::Border;
    use Exporter qw(import);
    use JSON::PP qw(decode_json);
    our @EXPORT_OK = qw(at_border native marking);
    sub marking { return native(@_) }
    sub at_border { my ($id, $code) = @_; return $code->($id) }
    sub native {
        my ($id, $scfg, $code) = @_;
        return $code->(bless(decode_json($ENV{SCRIPT})->{$id} // {}, 'Scripted'), $id);
    }
    package Scripted {
        our $AUTOLOAD;
        sub AUTOLOAD {
            my ($self, @arguments) = @_;
            my $call = $AUTOLOAD =~ s/.*:://r;
            return if $call eq 'DESTROY';
            die $self->{die} if $self->{die};
            my $answer = $self->{ join(' ', $call, grep { defined } @arguments) } // $self->{$call}
                // die "the script has no '$call'\n";
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
        sub get_members { return { map { \$_ => { online => (\$nodes->{\$_} // '') eq 'offline' ? 0 : 1 } } keys(\$nodes->%*) } }
        1;
        END
    put_module('PVE/INotify.pm', "package PVE::INotify; sub nodename { return '$here' } 1;\n");
    put_module('PVE/SSHInfo.pm', <<~'END');
        package PVE::SSHInfo;
        sub get_ssh_info { return { name => $_[0] } }
        sub ssh_info_to_command { my ($info, @options) = @_; return ['/usr/bin/ssh', @options, $info->{name}] }
        1;
        END
    put_module('PVE/Tools.pm', <<~'END');
        package PVE::Tools;
        use JSON::PP qw(encode_json);
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
    return;
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

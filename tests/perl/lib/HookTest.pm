# SPDX-License-Identifier: AGPL-3.0-or-later
package HookTest;

use v5.36;

use Exporter qw(import);
use File::Temp qw(tempdir);
use Scalar::Util qw(blessed tainted);
use Test::More;

# Proxmox VE's own modules, where they are, come before the stand-ins beside this file.
BEGIN {
    my ($dirs) = ($ENV{PVE_PERL5LIB} // '') =~ /\A([\x20-\x7e]*)\z/;
    unshift(@INC, grep { length } split(/:/, $dirs // ''));
}

use PVE::Storage::Custom::OntapNvmeTcpPlugin;

our @EXPORT_OK = qw(
    PLUGIN is_real_pve load_pve scfg dirty is_clean error_of said_by said_in_task in_child priv_dir put_file
    get_file perl_output set_config
);

use constant PLUGIN => 'PVE::Storage::Custom::OntapNvmeTcpPlugin';

# Nothing of a test may reach what a real node has.
my ($scratch) = tempdir(CLEANUP => 1) =~ /\A(.*)\z/;
$PVE::Storage::OntapNvmeTcp::PrivateFiles::directory = "$scratch/priv";
$PVE::Storage::OntapNvmeTcp::VolumeName::link_directory = "$scratch/dev";
$PVE::Storage::OntapNvmeTcp::surroundings{state_directory} = "$scratch/run";
$PVE::Storage::OntapNvmeTcp::surroundings{lvm_config_file} = "$scratch/lvm.conf";

# The lock of a storage, as the cluster's: taking it twice fails, and what runs under it is called in
# scalar context. Tests that look at it set $on_lock.
our $on_lock = sub ($what, @more) { };
our $is_locked = 0;
{
    no warnings qw(once redefine);
    *PVE::Storage::Plugin::cluster_lock_storage = sub {
        my ($class, $storeid, $shared, $timeout, $code, @arguments) = @_;
        die "cfs-lock 'storage-$storeid' error: got lock request timeout\n" if $is_locked;
        die "the name of the lock is tainted\n" if tainted($storeid);
        local $is_locked = 1;
        $on_lock->('lock', $storeid, $shared, $timeout);
        my $result = eval { $code->(@arguments) };
        my $error = $@;
        $on_lock->('unlock');
        die $error if $error;
        return $result;
    };
}

sub is_real_pve { return length($ENV{PVE_PERL5LIB} // '') ? 1 : 0 }

# The plugin as Proxmox VE's loader registers it. The loader initialises once, so the plugin comes
# first.
my $is_loaded;

sub load_pve {
    return if $is_loaded++;
    PLUGIN->register();
    require PVE::Storage;
    PVE::Storage::Plugin->init() if !is_real_pve();
    return;
}

# What PVE::Storage::config() returns from now on.
sub set_config ($ids) {
    load_pve();
    no warnings 'redefine';
    *PVE::Storage::config = sub { return { ids => $ids } };
    return;
}

# A section of storage.cfg.
sub scfg (%more) {
    return {
        type => 'ontapnvme',
        mgmt_ip => '192.0.2.1',
        username => 'admin',
        vserver => 'pve',
        subsystem => 'pve_subsystem',
        aggregate => 'aggr1',
        content => { images => 1 },
        shared => 1,
        %more,
    };
}

my $taint = substr($ENV{PATH} // $0, 0, 0);

# The same value, tainted all over.
sub dirty ($value) {
    return undef if !defined($value);
    return { map { $_ => dirty($value->{$_}) } keys($value->%*) } if ref($value) eq 'HASH';
    return [map { dirty($_) } $value->@*] if ref($value) eq 'ARRAY';
    return $value . $taint;
}

# Is `$value` free of taint all over?
sub is_clean ($value) {
    return !grep { !is_clean($_) } values($value->%*) if ref($value) eq 'HASH';
    return !grep { !is_clean($_) } $value->@* if ref($value) eq 'ARRAY';
    return !tainted($value);
}

# What a hook dies with: a plain text of one line.
sub error_of ($code, $name = 'it dies with one line of plain text') {
    my $done = eval { $code->(); 1 };
    my $error = $@;
    ok(!$done && !ref($error) && $error =~ /\A[^\n]+\n\z/, $name)
        or diag($done ? 'it did not die' : "it died with: $error");
    return "$error";
}

# What a piece of code says: task warnings and standard error.
sub said_by ($code) {
    my @said;
    local $SIG{__WARN__} = sub ($text) { push(@said, $text) };
    no warnings qw(once redefine);
    local *PVE::RESTEnvironment::log_warn = sub ($text) { push(@said, "task: $text") };
    open(my $real, '>&', \*STDERR) or die "dup: $!\n";
    close(STDERR);
    my $printed = '';
    open(STDERR, '>', \$printed) or die "open: $!\n";
    my $done = eval { $code->(); 1 };
    my $error = $@;
    close(STDERR);
    open(STDERR, '>&', $real) or die "dup: $!\n";
    die $error if !$done;
    return [@said, split(/^/, $printed)];
}

# What a piece of code says when a worker of Proxmox VE runs it, which has a task log.
sub said_in_task ($code) {
    no warnings qw(once redefine);
    local *PVE::RESTEnvironment::is_worker = sub { 1 };
    return said_by($code);
}

sub in_child ($code) {
    pipe(my $reader, my $writer) or die "pipe: $!\n";
    my $pid = fork() // die "fork: $!\n";
    if (!$pid) {
        close($reader);
        print {$writer} (eval { $code->() } // "died: $@");
        close($writer);
        require POSIX;
        POSIX::_exit(0);
    }
    close($writer);
    local $/;
    my $answer = readline($reader);
    waitpid($pid, 0);
    return $answer;
}

sub priv_dir { return $PVE::Storage::OntapNvmeTcp::PrivateFiles::directory }

# Files below the private folder.
sub put_file ($name, $text) {
    mkdir(priv_dir());
    mkdir(priv_dir() . '/storage');
    open(my $handle, '>', priv_dir() . "/$name") or die "$name: $!\n";
    print {$handle} $text;
    close($handle) or die "$name: $!\n";
    return;
}

sub get_file ($name) {
    open(my $handle, '<', priv_dir() . "/$name") or return undef;
    local $/;
    return scalar(readline($handle));
}

# What another perl prints, with the same search path and taint mode, and its status.
sub perl_output ($include, @arguments) {
    local $ENV{PATH} = '/usr/bin:/bin';
    delete(local @ENV{qw(IFS CDPATH ENV BASH_ENV)});
    my ($perl) = $^X =~ /\A(.*)\z/;
    my @options = map { /\A(.*)\z/ ? "-I$1" : () } $include->@*, grep { !ref } @INC;
    my $pid = open(my $output, '-|') // die "fork: $!\n";
    if (!$pid) {
        open(STDERR, '>&', \*STDOUT);
        exec($perl, '-T', @options, @arguments) or die "exec: $!\n";
    }
    local $/;
    my $text = readline($output) // '';
    close($output);
    return ($text, $?);
}

1;

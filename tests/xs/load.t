#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Config;
use Test::More;

my $module = 'PVE::Storage::OntapNvmeTcp::Native';

# The folder whose module was loaded.
my sub arch_dir {
    my $file = 'PVE/Storage/OntapNvmeTcp/Native.pm';
    my ($dir) = $INC{$file} =~ m{\A(.*)/\Q$file\E\z};
    return $dir;
}

# Another perl with other code, and all it printed.
my sub run_perl (@arguments) {
    local $ENV{PATH} = '/usr/bin:/bin';
    delete(local @ENV{qw(IFS CDPATH ENV BASH_ENV)});
    my @include = map { /\A(.*)\z/ ? "-I$1" : () } grep { !ref } @INC;
    my $pid = open(my $output, '-|') // die "fork: $!\n";
    if (!$pid) {
        open(STDERR, '>&', \*STDOUT);
        my ($perl) = $^X =~ /\A(.*)\z/;
        exec($perl, '-T', @include, @arguments) or die "exec: $!\n";
    }
    local $/;
    my $text = readline($output) // '';
    close($output);
    return ($text, $?);
}

use_ok($module);

subtest 'loading prints nothing' => sub {
    my ($text, $status) = run_perl("-M$module", '-e', '1');
    is($text, '', 'no output');
    is($status, 0, 'no failure');
};

subtest 'the shared object must have the version of its module' => sub {
    my $version = $module->VERSION;
    like($version, qr/\A[0-9]+\.[0-9]+\.[0-9]+\z/, 'three numbers');
    my ($text, $status) = run_perl(
        '-e', "require XSLoader; package $module; our \$VERSION = '9.9.9'; XSLoader::load()",
    );
    # XSLoader looks beside the file that asks; a script is beside nothing, so it falls back to
    # @INC.
    like($text, qr/object version \Q$version\E does not match/, 'another one is refused');
};

subtest 'only the boot function is exported' => sub {
    my ($object) = arch_dir() . '/auto/PVE/Storage/OntapNvmeTcp/Native/Native.so' =~ s/(.*)/$1/r;
    plan(skip_all => 'there is no nm on this machine') if !-x '/usr/bin/nm';
    local $ENV{PATH} = '/usr/bin:/bin';
    open(my $nm, '-|', '/usr/bin/nm', '-D', '--defined-only', $object) or die "nm: $!\n";
    my @names = map { /\s(\S+)\s*\z/ ? $1 : () } readline($nm);
    close($nm);
    is_deeply(\@names, ['boot_PVE__Storage__OntapNvmeTcp__Native'], 'one symbol');
};

subtest 'every function of the façade has its XSUB' => sub {
    can_ok($module, qw(
        new check_settings verify check_connection activate capacity require_empty forget list
        info allocate free activate_volume deactivate_volume resize identity pending examine explain
        require_same_disks apply_changes probes run_probe list_deleted undelete examine_for_adoption adopt remove_abandoned
        create_base clone clone_vm copy_progress start_move where_is hand_over moved_volumes take_over rename set_notes set_protected export read_import_size import_volume
        activate_snapshot deactivate_snapshot prepare_snapshot create_snapshot
        delete_snapshot rollback_blockers rollback list_snapshots list_vm_snapshots adopt_snapshot take_log CLONE_SKIP
    ));
};

subtest 'every function of the module is described in it' => sub {
    open(my $source, '<', $INC{'PVE/Storage/OntapNvmeTcp/Native.pm'}) or die "source: $!\n";
    my %described = map { $_ => 1 } map { /\A=item (.*)/ ? $1 =~ /(?:\A|, )(\w+)/g : () } readline($source);
    no strict 'refs';
    my @functions = grep { defined(&{"${module}::$_"}) && /\A[a-z]/ && $_ ne 'bootstrap' } keys(%{"${module}::"});
    cmp_ok(scalar(@functions), '>', 30, 'there are some');
    is_deeply([grep { !$described{$_} } sort(@functions)], [], 'none is left out');
};

done_testing();

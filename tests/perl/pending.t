#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use Test::More;

use HookTest qw(perl_output);

# The operator's program, over a PVE::Storage with a few storages and a library that answers for them.
my ($program) = abs_path(__FILE__) =~ m{\A(.*)/tests/perl/[^/]+\z} or die;
$program .= '/perl/pending';
my $scratch = tempdir(CLEANUP => 1);
my sub write_module ($file, $text) {
    my ($folder) = "$scratch/$file" =~ m{\A(.*)/};
    require File::Path;
    File::Path::make_path($folder);
    open(my $module, '>', "$scratch/$file") or die "cannot write '$file': $!\n";
    print $module $text;
    close($module) or die "cannot write '$file': $!\n";
    return;
}
write_module('PVE/Storage.pm', <<~'END');
    package PVE::Storage;
    sub config { return { ids => {
        local => { type => 'dir' }, a => { type => 'ontapnvme' }, b => { type => 'ontapnvme' },
        off => { type => 'ontapnvme' },
    } } }
    sub storage_check_enabled { my ($cfg, $id) = @_; return $id ne 'off' }
    1;
    END
write_module('PVE/Storage/OntapNvmeTcp/Border.pm', <<~'END');
    package PVE::Storage::OntapNvmeTcp::Border;
    use Exporter qw(import);
    our @EXPORT_OK = qw(native);
    sub native {
        my ($id, $scfg, $code) = @_;
        die "storage '$id': [unavailable] no answer\n" if $ENV{CASE} eq $id;
        return $code->(bless([$id eq 'a' ? 'FlexVol x is empty' : ()], 'Lines'), $id);
    }
    sub Lines::pending { my ($self) = @_; return [$self->@*] }
    1;
    END

my sub run ($case, @arguments) {
    local $ENV{CASE} = $case;
    my ($text, $status) = perl_output([$scratch], $program, @arguments);
    return ($text, $status >> 8);
}

is_deeply([run('')], ["a: FlexVol x is empty\nb: nothing is pending\n", 0], 'each one of ours');
is_deeply([run('', 'b')], ["b: nothing is pending\n", 0], 'or the one that is named');
my ($text, $status) = run('a');
like($text, qr/storage 'a': \[unavailable\]/, 'one that does not answer says why');
like($text, qr/^b: nothing is pending$/m, 'and the others are told');
is($status, 1, 'which is no success');
($text, $status) = run('', 'off');
like($text, qr/'off'/, 'one that is not enabled here is refused');
isnt($status, 0, 'with a failure');

done_testing();

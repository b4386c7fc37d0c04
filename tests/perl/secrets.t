#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use HookTest qw(in_child put_file get_file priv_dir);
use PVE::Storage::OntapNvmeTcp::Secrets;

my $load = \&PVE::Storage::OntapNvmeTcp::Secrets::load;
my $store = \&PVE::Storage::OntapNvmeTcp::Secrets::store;
my $ensure = \&PVE::Storage::OntapNvmeTcp::ClusterId::ensure_cluster_id;

subtest 'what is stored is loaded' => sub {
    my %all = (
        password => "p\xe4ss w\x{f6}rd-\x{20ac}",
        nvme_dhchap_secret => 'DHHC-1:00:YWJj:',
        nvme_dhchap_ctrl_secret => 'DHHC-1:01:ZGVm:',
        nvme_tls_psk => 'NVMeTLSkey-1:01:Z2hp:',
    );
    $store->('store', \%all);
    is_deeply($load->('store'), \%all, 'all of it');
    is(get_file('storage/store.pw'), "p\xc3\xa4ss w\xc3\xb6rd-\xe2\x82\xac\n", 'in UTF-8');
    is_deeply($load->('other'), {}, 'of that storage only');
    $store->('store', { password => undef, nvme_tls_psk => 'new' });
    is_deeply([sort(keys($load->('store')->%*))],
        [qw(nvme_dhchap_ctrl_secret nvme_dhchap_secret nvme_tls_psk)],
        'undef removes');
    $store->('store', { map { $_ => undef } keys(%all) });
    $store->('store', { map { $_ => undef } keys(%all) });
    is_deeply($load->('store'), {}, 'twice as well');
};

subtest 'files of earlier releases are read' => sub {
    put_file('storage/store.pw', 'no newline');
    is($load->('store')->{password}, 'no newline', 'without a newline');
    for my $password (' blanks at both ends ', join('', map { chr } 0x20 .. 0x7e), "\x{65e5}\x{1f511} ") {
        $store->('store', { password => $password });
        is($load->('store')->{password}, $password, "kept as it is, '$password'" =~ s/[^ -~]/?/gr);
    }
    put_file('storage/store.pw', '');
    is($load->('store')->{password}, undef, 'an empty one is none');
};

subtest 'files are readable by root alone, whatever the umask' => sub {
    my $before = umask(0);
    $store->('store', { password => 'x' });
    is((stat(priv_dir() . '/storage/store.pw'))[2] & 07777, 0600, 'mode');
    umask($before);
};

subtest 'all or none' => sub {
    $store->('store', { nvme_dhchap_secret => 'old', password => 'old' });
    # The third in order cannot be written.
    my $in_the_way = priv_dir() . '/storage/store.tlspsk';
    mkdir($in_the_way);
    ok(!eval { $store->('store',
        { nvme_dhchap_secret => 'new', nvme_dhchap_ctrl_secret => 'new', nvme_tls_psk => 'new',
        password => 'new' }); 1 }, 'one cannot be written');
    like($@, qr/store\.tlspsk/, 'by name');
    unlike($@, qr/new/, 'not what');
    rmdir($in_the_way);
    is_deeply($load->('store'), { nvme_dhchap_secret => 'old', password => 'old' },
        'the others are as before');
};

subtest 'the next step of a caller may fail' => sub {
    my $put_back = $store->('store',
        { password => 'new', nvme_dhchap_secret => undef, nvme_tls_psk => 'new' });
    is_deeply($load->('store'), { password => 'new', nvme_tls_psk => 'new' }, 'changed');
    $put_back->();
    is_deeply($load->('store'), { nvme_dhchap_secret => 'old', password => 'old' }, 'as before');
};

subtest 'the cluster gets one id' => sub {
    my $file = priv_dir() . '/ontapnvme-cluster-id';
    for (1 .. 5) {
        unlink($file);
        my @readers;
        for (1 .. 4) {
            pipe(my $reader, my $writer) or die "pipe: $!\n";
            my $pid = fork() // die "fork: $!\n";
            if (!$pid) {
                print {$writer} (eval { $ensure->() } // "died: $@");
                close($writer);
                require POSIX;
                POSIX::_exit(0);
            }
            push(@readers, [$pid, $reader]);
        }
        my %ids;
        for my $child (@readers) {
            my ($pid, $reader) = $child->@*;
            $ids{ readline($reader) } = 1;
            waitpid($pid, 0);
        }
        is_deeply([map { "$_\n" } keys(%ids)], [get_file('ontapnvme-cluster-id')],
            'all have the same');
    }
    is((stat($file))[2] & 07777, 0600, 'mode');
};

subtest 'an empty id, left by a crash, is an error' => sub {
    put_file('ontapnvme-cluster-id', '');
    ok(!eval { $ensure->(); 1 }, 'it dies');
    like("$@", qr/cluster-id.*remove it/, 'with what to do');
};

done_testing();

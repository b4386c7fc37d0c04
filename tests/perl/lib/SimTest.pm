# SPDX-License-Identifier: AGPL-3.0-or-later
# A storage on the simulator, through the real library, for the sim_*.t files. Skips them when
# either is not built.
package SimTest;

use v5.36;

use Exporter qw(import);
use Test::More;

use HookTest qw(PLUGIN scfg dirty put_file set_config);

our @EXPORT_OK = qw(start_array storage added_storage requests);

use constant PASSWORD => 'secret';

sub start_array (%options) {
    plan(skip_all => 'ONTAP_SIM does not name the simulator') if !length($ENV{ONTAP_SIM} // '');
    eval { require PVE::Storage::OntapNvmeTcp::Native; 1 }
        or plan(skip_all => "the native module is not built: $@");
    require OntapSim;
    return OntapSim->start(%options);
}

# A section for the simulator, whose certificate is trusted.
sub storage ($sim, $storeid, %more) {
    open(my $handle, '<', $sim->ca()) or die "ca: $!\n";
    local $/;
    put_file("storage/$storeid.ca.pem", readline($handle));
    return scfg(
        mgmt_ip => '127.0.0.1:' . $sim->port(),
        vserver => 'svm1',
        subsystem => 'pve',
        aggregate => 'aggr1',
        %more,
    );
}

# The same, added as an administrator adds it.
sub added_storage ($sim, $storeid, %more) {
    my $scfg = storage($sim, $storeid, %more);
    set_config({ $storeid => $scfg });
    PLUGIN->on_add_hook(dirty($storeid), dirty($scfg), dirty({ password => PASSWORD })->%*);
    return dirty($scfg);
}

# How many requests `$code` leads to.
sub requests ($sim, $code) {
    my $before = $sim->count();
    $code->();
    return $sim->count() - $before;
}

1;

#!/usr/bin/perl
# SPDX-License-Identifier: AGPL-3.0-or-later
#
# The panel in a browser, with ONTAPNVME_LONG=1: needs node, Debian's chromium, and a folder with extjs-gpl
# and playwright-core from npm in GUI_NODE_MODULES. What it is shown on are stand-ins (browser/).
use v5.36;

use FindBin qw($Bin);
use Test::More;

plan(skip_all => 'a browser takes too long for every change: ONTAPNVME_LONG=1') if !$ENV{ONTAPNVME_LONG};
my $build = $ENV{ONTAPNVME_BUILD} // die "ONTAPNVME_BUILD names no build tree\n";
my $modules = $ENV{GUI_NODE_MODULES} // '';
my $chromium = $ENV{CHROMIUM} // '/usr/bin/chromium';
plan(skip_all => "GUI_NODE_MODULES has no $_") for grep { !-d "$modules/$_" } qw(extjs-gpl playwright-core);
plan(skip_all => "there is no $chromium") if !-x $chromium;

exec('node', "$Bin/browser/panel.js", "$build/gui/pve-storage-ontapnvme.js", $modules) or die "node: $!\n";

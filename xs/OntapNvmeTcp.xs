// SPDX-License-Identifier: AGPL-3.0-or-later
// One XSUB per method of pve::Storage, under its name in snake_case. The typemap reads the
// arguments, Call does the rest; see glue.h for why in this order. One name differs: `import` is
// what perl calls for `use`.
#include "convert.h"
#include "glue.h"

using namespace ontapnvme;
using namespace ontapnvme::xs;

MODULE = PVE::Storage::OntapNvmeTcp::Native    PACKAGE = PVE::Storage::OntapNvmeTcp::Native

PROTOTYPES: DISABLE

int
CLONE_SKIP(...)
  CODE:
    /* A new interpreter thread gets undef instead of a second owner. */
    RETVAL = 1;
  OUTPUT: RETVAL

void
check_settings(SV *class_name, Text storage_id, Pairs settings)
  CODE:
    PERL_UNUSED_VAR(class_name);
    Call(aTHX_ [&] { return CheckSettings(storage_id, settings); });

SV *
new(SV *class_name, Text storage_id, Pairs settings, Pairs secrets, Pairs surroundings)
  CODE:
    PERL_UNUSED_VAR(class_name);
    RETVAL = Call(aTHX_ [&] {
        return MakeClient(aTHX_ storage_id, settings, secrets, surroundings);
    });
  OUTPUT: RETVAL

bool
check_connection(Client *self)
  CODE:
    RETVAL = false;
    /* An exception means no more than that the storage cannot be used. */
    Guard(aTHX_ self, [&](auto &storage) {
        RETVAL = storage.CheckConnection();
        return nullptr;
    });
  OUTPUT: RETVAL

SV *
take_log(Client *self)
  CODE:
    RETVAL = NULL;
    /* A log that cannot be read must not hide the result of the call before it. */
    Guard(aTHX_ self, [&](auto &storage) {
        RETVAL = ToPerl(aTHX_ storage.TakeLog());
        return nullptr;
    });
    if (!RETVAL)
        RETVAL = newRV_noinc(reinterpret_cast<SV *>(newAV()));
  OUTPUT: RETVAL

void
verify(Client *self)
  CODE:
    Call(aTHX_ self, [&](auto &storage) { return storage.Verify(); });

void
activate(Client *self)
  CODE:
    Call(aTHX_ self, [&](auto &storage) { return storage.Activate(); });

SV *
capacity(Client *self)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) { return storage.Capacity(); });
  OUTPUT: RETVAL

void
require_empty(Client *self)
  CODE:
    Call(aTHX_ self, [&](auto &storage) { return storage.RequireEmpty(); });

SV *
identity(Client *self)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) { return storage.Identity(); });
  OUTPUT: RETVAL

void
require_same_disks(Client *self)
  CODE:
    Call(aTHX_ self, [&](auto &storage) { return storage.RequireSameDisks(); });

void
apply_changes(Client *self, Pairs before)
  CODE:
    Call(aTHX_ self, [&](auto &storage) { return storage.ApplyChanges(SettingsFrom(before)); });

SV *
pending(Client *self)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) { return storage.Pending(); });
  OUTPUT: RETVAL

SV *
remove_abandoned(Client *self, Texts named)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) {
        return storage.RemoveAbandoned(StringsFrom(named));
    });
  OUTPUT: RETVAL

SV *
explain(Client *self, Text what)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) { return storage.Explain(what.string()); });
  OUTPUT: RETVAL

SV *
examine(Client *self)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) { return storage.Examine(); });
  OUTPUT: RETVAL

SV *
probes(Client *self)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) { return storage.Probes(); });
  OUTPUT: RETVAL

SV *
run_probe(Client *self, Text probe)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) { return storage.RunProbe(probe.string()); });
  OUTPUT: RETVAL

void
forget(Client *self)
  CODE:
    Call(aTHX_ self, [&](auto &storage) { return storage.Forget(); });

SV *
list(Client *self, MaybeUnsigned vmid)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) { return storage.List(vmid.optional()); });
  OUTPUT: RETVAL

SV *
info(Client *self, Text volname)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) { return storage.Info(volname.string()); });
  OUTPUT: RETVAL

SV *
allocate(Client *self, Unsigned vmid, MaybeText volname, Unsigned size_kib)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) {
        return storage.Allocate(vmid, volname.string(), size_kib);
    });
  OUTPUT: RETVAL

void
free(Client *self, Text volname)
  CODE:
    Call(aTHX_ self, [&](auto &storage) { return storage.Free(volname.string()); });

SV *
list_deleted(Client *self)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) { return storage.ListDeleted(); });
  OUTPUT: RETVAL

SV *
undelete(Client *self, Text volname, MaybeText queued_as)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) {
        return storage.Undelete(volname.string(), queued_as.string());
    });
  OUTPUT: RETVAL

SV *
examine_for_adoption(Client *self, Text path, bool is_lun, Unsigned vmid)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) {
        return storage.ExamineForAdoption(path.string(), is_lun, vmid);
    });
  OUTPUT: RETVAL

SV *
adopt(Client *self, Text path, bool is_lun, Unsigned vmid)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) {
        return storage.Adopt(path.string(), is_lun, vmid);
    });
  OUTPUT: RETVAL

SV *
activate_volume(Client *self, Text volname)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) {
        return storage.ActivateVolume(volname.string());
    });
  OUTPUT: RETVAL

void
deactivate_volume(Client *self, Text volname)
  CODE:
    Call(aTHX_ self, [&](auto &storage) { return storage.DeactivateVolume(volname.string()); });

void
resize(Client *self, Text volname, Unsigned size_bytes)
  CODE:
    Call(aTHX_ self, [&](auto &storage) { return storage.Resize(volname.string(), size_bytes); });

SV *
create_base(Client *self, Text volname)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) { return storage.CreateBase(volname.string()); });
  OUTPUT: RETVAL

SV *
clone(Client *self, Text volname, MaybeText snapshot, Unsigned vmid)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) {
        return storage.Clone(volname.string(), snapshot.string(), vmid);
    });
  OUTPUT: RETVAL

SV *
clone_vm(Client *self, Texts volnames, MaybeText snapshot, Unsigned vmid)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) {
        return storage.CloneVm(StringsFrom(volnames), snapshot.string(), vmid);
    });
  OUTPUT: RETVAL

SV *
copy_progress(Client *self, Unsigned vmid)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) { return storage.CopyProgress(vmid); });
  OUTPUT: RETVAL

SV *
rename(Client *self, Text volname, Unsigned vmid, MaybeText new_volname)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) {
        return storage.Rename(volname.string(), vmid, new_volname.string());
    });
  OUTPUT: RETVAL

void
start_move(Client *self, Text volname, Text place)
  CODE:
    Call(aTHX_ self, [&](auto &storage) {
        return storage.StartMove(volname.string(), place.string());
    });

SV *
where_is(Client *self, Text volname)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) { return storage.WhereIs(volname.string()); });
  OUTPUT: RETVAL

SV *
hand_over(Client *self, Text volname, Text to_storage, Text to_identity, Text new_volname)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) {
        return storage.HandOver(volname.string(), to_storage.string(), to_identity.string(),
                                new_volname.string());
    });
  OUTPUT: RETVAL

SV *
moved_volumes(Client *self, Unsigned vmid, Text moved_from)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) {
        return storage.MovedVolumes(vmid, moved_from.string());
    });
  OUTPUT: RETVAL

void
take_over(Client *self, Text volname)
  CODE:
    Call(aTHX_ self, [&](auto &storage) { return storage.TakeOver(volname.string()); });

void
set_notes(Client *self, Text volname, Text notes)
  CODE:
    Call(aTHX_ self, [&](auto &storage) {
        return storage.SetNotes(volname.string(), notes.string());
    });

void
set_protected(Client *self, Text volname, bool is_protected)
  CODE:
    Call(aTHX_ self, [&](auto &storage) {
        return storage.SetProtected(volname.string(), is_protected);
    });

void
export(Client *self, Text volname, MaybeText snapshot, Descriptor fd)
  CODE:
    Call(aTHX_ self, [&](auto &storage) {
        return storage.Export(volname.string(), snapshot.string(), fd);
    });

SV *
read_import_size(Client *self, Descriptor fd)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) { return storage.ReadImportSize(fd); });
  OUTPUT: RETVAL

void
import_volume(Client *self, Text volname, Unsigned size_bytes, Descriptor fd)
  CODE:
    Call(aTHX_ self, [&](auto &storage) {
        return storage.Import(volname.string(), size_bytes, fd);
    });

void
prepare_snapshot(Client *self, Text volname)
  CODE:
    Call(aTHX_ self, [&](auto &storage) { return storage.PrepareSnapshot(volname.string()); });

void
create_snapshot(Client *self, Text volname, Text snapshot)
  CODE:
    Call(aTHX_ self, [&](auto &storage) {
        return storage.CreateSnapshot(volname.string(), snapshot.string());
    });

void
delete_snapshot(Client *self, Text volname, Text snapshot)
  CODE:
    Call(aTHX_ self, [&](auto &storage) {
        return storage.DeleteSnapshot(volname.string(), snapshot.string());
    });

SV *
rollback_blockers(Client *self, Text volname, Text snapshot)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) {
        return storage.RollbackBlockers(volname.string(), snapshot.string());
    });
  OUTPUT: RETVAL

void
rollback(Client *self, Text volname, Text snapshot)
  CODE:
    Call(aTHX_ self, [&](auto &storage) {
        return storage.Rollback(volname.string(), snapshot.string());
    });

SV *
list_snapshots(Client *self, Text volname)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) {
        return storage.ListSnapshots(volname.string());
    });
  OUTPUT: RETVAL

SV *
list_vm_snapshots(Client *self, MaybeUnsigned vmid)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) {
        return storage.ListVmSnapshots(vmid.optional());
    });
  OUTPUT: RETVAL

SV *
adopt_snapshot(Client *self, Texts volnames, Text array_name, Text snapshot)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) {
        return storage.AdoptSnapshot(StringsFrom(volnames), array_name.string(), snapshot.string());
    });
  OUTPUT: RETVAL

SV *
activate_snapshot(Client *self, Text volname, Text snapshot)
  CODE:
    RETVAL = Call(aTHX_ self, [&](auto &storage) {
        return storage.ActivateSnapshot(volname.string(), snapshot.string());
    });
  OUTPUT: RETVAL

void
deactivate_snapshot(Client *self, Text volname, Text snapshot)
  CODE:
    Call(aTHX_ self, [&](auto &storage) {
        return storage.DeactivateSnapshot(volname.string(), snapshot.string());
    });

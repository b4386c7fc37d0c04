// SPDX-License-Identifier: AGPL-3.0-or-later
// The smallest stand-ins for what the panel uses of Proxmox VE's web interface, on ExtJS: enough to build
// its windows, fill them in and see what would be sent (window.sent), with sections to edit in
// window.sections. How the real ones look is not of interest here.
window.gettext = (text) => text;
window.sent = [];
window.sections = {};
window.pveOnlineHelpInfo = {};
window.Proxmox = { Utils: {} };
window.PVE = { Utils: { storageSchema: { dir: { name: 'Directory', ipanel: 'DirPanel', backups: true } } } };

// Of an empty field nothing is sent.
const withoutEmpty = {
    getSubmitData: function () {
        const value = this.getSubmitValue();
        return value === null || value === undefined || value === '' ? null : { [this.getName()]: value };
    },
};

const text = { extend: 'Ext.form.field.Text', alias: 'widget.proxmoxtextfield' };
const number = { extend: 'Ext.form.field.Number', alias: 'widget.proxmoxintegerfield' };
Ext.define('StandIn.Text', Ext.apply(text, withoutEmpty));
Ext.define('StandIn.Number', Ext.apply(number, withoutEmpty));
Ext.define('StandIn.Flag', { extend: 'Ext.form.field.Checkbox', alias: 'widget.proxmoxcheckbox', inputValue: '1' });
Ext.define('StandIn.Choice', {
    extend: 'Ext.form.field.ComboBox',
    alias: 'widget.proxmoxKVComboBox',
    queryMode: 'local',
    displayField: 'shown',
    valueField: 'key',
    forceSelection: true,
    initComponent: function () {
        this.store = Ext.create('Ext.data.ArrayStore', { fields: ['key', 'shown'], data: this.comboItems });
        this.callParent();
    },
});
Ext.define('StandIn.ContentTypes', {
    extend: 'StandIn.Choice',
    alias: 'widget.pveContentTypeSelector',
    initComponent: function () {
        this.comboItems = this.cts.map((type) => [type, type]);
        this.callParent();
    },
});

Ext.define('Proxmox.panel.InputPanel', {
    extend: 'Ext.panel.Panel',
    alias: 'widget.inputpanel',
    onGetValues: (values) => values,
    onSetValues: (values) => values,
    initComponent: function () {
        const names = ['column1', 'column2', 'columnB', 'advancedColumn1', 'advancedColumn2'];
        this.items = names.filter((name) => this[name]).map((name) => ({ xtype: 'container', items: this[name] }));
        this.callParent();
    },
    getValues: function () {
        const values = {};
        for (const field of this.query('[isFormField]')) {
            Ext.apply(values, field.getSubmitData());
        }
        return this.onGetValues(values);
    },
    setValues: function (values) {
        const shown = this.onSetValues(values);
        for (const field of this.query('[isFormField]').filter((each) => shown[each.name] !== undefined)) {
            field.setValue(shown[field.name]);
            field.resetOriginalValue();
        }
    },
});

Ext.define('PVE.panel.StorageBase', {
    extend: 'Proxmox.panel.InputPanel',
    onGetValues: function (values) {
        if (this.isCreate) {
            values.type = this.type;
        }
        return values;
    },
    initComponent: function () {
        this.column1.unshift({
            xtype: this.isCreate ? 'textfield' : 'displayfield',
            name: 'storage',
            value: this.storageId,
            allowBlank: false,
        });
        this.callParent();
    },
});

Ext.define('PVE.storage.BaseEdit', {
    extend: 'Ext.window.Window',
    modal: true,
    width: 700,
    initComponent: function () {
        const isCreate = !this.storageId;
        const { type, storageId } = this;
        this.ipanel = Ext.create(this.paneltype, { type, isCreate, storageId, title: 'General' });
        const tabs = (this.ipanel.extraTabs || []).map((tab) => Ext.apply(tab, { isCreate }));
        this.items = [{ xtype: 'form', items: [{ xtype: 'tabpanel', items: [this.ipanel, ...tabs] }] }];
        this.callParent();
        if (!isCreate) {
            const values = Ext.apply({}, window.sections[this.storageId]);
            values.content = values.content.split(',');
            this.query('inputpanel').forEach((panel) => panel.setValues(values));
        }
    },
    submit: function () {
        const values = {};
        for (const panel of this.query('inputpanel')) {
            for (const [name, value] of Object.entries(panel.getValues())) {
                values[name] = name in values ? [].concat(values[name], value) : value;
            }
        }
        window.sent.push(values);
    },
});

Ext.define('PVE.dc.StorageView', {
    extend: 'Ext.panel.Panel',
    createStorageEditWindow: function (type, storageId) {
        const paneltype = 'PVE.storage.' + PVE.Utils.storageSchema[type].ipanel;
        return Ext.create('PVE.storage.BaseEdit', { paneltype, type, storageId, autoShow: true });
    },
});

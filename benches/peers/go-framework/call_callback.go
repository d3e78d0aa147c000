package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// callCallback is the resource tencent_call_callback.
type callCallback struct {
	client *client
}

type callbackModel struct {
	ID                types.String `tfsdk:"id"`
	SdkAppID          types.Int64  `tfsdk:"sdk_app_id"`
	URL               types.String `tfsdk:"url"`
	CallbackCommands  types.Set    `tfsdk:"callback_commands"`
	OverwriteExisting types.Bool   `tfsdk:"overwrite_existing"`
	DeletionPolicy    types.String `tfsdk:"deletion_policy"`
	LastRequestID     types.String `tfsdk:"last_request_id"`
}

var (
	_ resource.ResourceWithConfigure  = &callCallback{}
	_ resource.ResourceWithModifyPlan = &callCallback{}
)

func newCallCallback() resource.Resource {
	return &callCallback{}
}

func (*callCallback) Metadata(_ context.Context, request resource.MetadataRequest, response *resource.MetadataResponse) {
	response.TypeName = request.ProviderTypeName + "_call_callback"
}

func (*callCallback) Schema(_ context.Context, _ resource.SchemaRequest, response *resource.SchemaResponse) {
	response.Schema = schema.Schema{
		Description: "Manages the Call callback configuration (webhook) of an application.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				Description:   "The SDKAppID.",
				Computed:      true,
				PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"sdk_app_id": schema.Int64Attribute{
				Description: "The application. Default: the provider's.",
				Optional:    true,
				Computed:    true,
				PlanModifiers: []planmodifier.Int64{
					int64planmodifier.UseStateForUnknown(),
					int64planmodifier.RequiresReplace(),
				},
			},
			"url": schema.StringAttribute{
				Description: "The URL that Tencent posts the events to.",
				Required:    true,
				Validators: []validator.String{
					stringvalidator.RegexMatches(regexp.MustCompile(`^https?://[^/]`), "must be an https or http URL"),
				},
			},
			"callback_commands": schema.SetAttribute{
				Description: "The events to send, by their callback commands.",
				ElementType: types.StringType,
				Required:    true,
				Validators:  []validator.Set{setvalidator.SizeAtLeast(1)},
			},
			"overwrite_existing": schema.BoolAttribute{
				Description: "Whether to overwrite what someone else has configured.",
				Optional:    true,
				Computed:    true,
				Default:     booldefault.StaticBool(false),
			},
			"deletion_policy": schema.StringAttribute{
				Description: "What a destroy does at Tencent: DELETE or ABANDON.",
				Optional:    true,
				Computed:    true,
				Default:     stringdefault.StaticString("DELETE"),
				Validators:  []validator.String{stringvalidator.OneOf("DELETE", "ABANDON")},
			},
			"last_request_id": schema.StringAttribute{
				Description:   "Tencent's RequestId of the last write.",
				Computed:      true,
				PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
		},
	}
}

func (r *callCallback) Configure(_ context.Context, request resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	r.client, _ = request.ProviderData.(*client)
}

// ModifyPlan chooses the application, and refuses to create what would overwrite something else.
func (r *callCallback) ModifyPlan(ctx context.Context, request resource.ModifyPlanRequest, response *resource.ModifyPlanResponse) {
	if request.Plan.Raw.IsNull() || r.client == nil {
		return
	}
	var plan callbackModel
	var configured types.Int64
	response.Diagnostics.Append(request.Plan.Get(ctx, &plan)...)
	response.Diagnostics.Append(request.Config.GetAttribute(ctx, path.Root("sdk_app_id"), &configured)...)
	if response.Diagnostics.HasError() {
		return
	}
	if configured.IsNull() && plan.SdkAppID.IsUnknown() {
		if r.client.defaultID == 0 {
			response.Diagnostics.AddAttributeError(path.Root("sdk_app_id"), "Missing SDKAppID",
				"Set sdk_app_id in the resource or in the provider block, or TENCENT_SDK_APP_ID.")
			return
		}
		plan.SdkAppID = types.Int64Value(r.client.defaultID)
	}
	if !plan.SdkAppID.IsUnknown() {
		plan.ID = types.StringValue(strconv.FormatInt(plan.SdkAppID.ValueInt64(), 10))
	}

	if !request.State.Raw.IsNull() {
		var state callbackModel
		response.Diagnostics.Append(request.State.Get(ctx, &state)...)
		if !plan.URL.Equal(state.URL) || !plan.CallbackCommands.Equal(state.CallbackCommands) {
			plan.LastRequestID = types.StringUnknown()
		}
	} else if !plan.SdkAppID.IsUnknown() {
		found, err := r.client.Look(ctx, plan.SdkAppID.ValueInt64())
		response.Diagnostics.Append(guard(ctx, &plan, nil, found, err)...)
	}
	response.Diagnostics.Append(response.Plan.Set(ctx, &plan)...)
}

func (r *callCallback) Create(ctx context.Context, request resource.CreateRequest, response *resource.CreateResponse) {
	var plan callbackModel
	response.Diagnostics.Append(request.Plan.Get(ctx, &plan)...)
	if response.Diagnostics.HasError() {
		return
	}
	response.Diagnostics.Append(r.write(ctx, &plan, nil)...)
	if !response.Diagnostics.HasError() {
		response.Diagnostics.Append(response.State.Set(ctx, &plan)...)
	}
}

func (r *callCallback) Read(ctx context.Context, request resource.ReadRequest, response *resource.ReadResponse) {
	var state callbackModel
	response.Diagnostics.Append(request.State.Get(ctx, &state)...)
	if response.Diagnostics.HasError() {
		return
	}
	found, err := r.client.Get(ctx, state.SdkAppID.ValueInt64())
	if err != nil {
		response.Diagnostics.AddError("Cannot read the callback configuration", err.Error())
		return
	}
	if found == nil {
		response.State.RemoveResource(ctx)
		return
	}
	commands, diagnostics := types.SetValueFrom(ctx, types.StringType, found.normalized().Commands)
	response.Diagnostics.Append(diagnostics...)
	state.URL, state.CallbackCommands = types.StringValue(found.URL), commands
	response.Diagnostics.Append(response.State.Set(ctx, &state)...)
}

func (r *callCallback) Update(ctx context.Context, request resource.UpdateRequest, response *resource.UpdateResponse) {
	var plan, state callbackModel
	response.Diagnostics.Append(request.Plan.Get(ctx, &plan)...)
	response.Diagnostics.Append(request.State.Get(ctx, &state)...)
	if response.Diagnostics.HasError() {
		return
	}
	// Settings that only Terraform uses send nothing.
	if plan.LastRequestID.IsUnknown() {
		response.Diagnostics.Append(r.write(ctx, &plan, &state)...)
	}
	if !response.Diagnostics.HasError() {
		response.Diagnostics.Append(response.State.Set(ctx, &plan)...)
	}
}

func (r *callCallback) Delete(ctx context.Context, request resource.DeleteRequest, response *resource.DeleteResponse) {
	var state callbackModel
	response.Diagnostics.Append(request.State.Get(ctx, &state)...)
	if response.Diagnostics.HasError() || state.DeletionPolicy.ValueString() == "ABANDON" {
		return
	}
	id := state.SdkAppID.ValueInt64()
	found, err := r.client.Get(ctx, id)
	response.Diagnostics.Append(guard(ctx, &state, &state, found, err)...)
	if response.Diagnostics.HasError() {
		return
	}
	if found == nil {
		return
	}
	if err := r.client.Delete(ctx, id); err != nil {
		response.Diagnostics.AddError("Cannot delete the callback configuration", err.Error())
		return
	}
	if found, err := r.client.Get(ctx, id); err == nil && found != nil {
		response.Diagnostics.AddWarning("The callback configuration was set again",
			fmt.Sprintf("After the deletion, SDKAppID %d has a configuration that someone else has set.", id))
	}
}

// write replaces the configuration by the planned one, and reads it back.
func (r *callCallback) write(ctx context.Context, plan, state *callbackModel) diag.Diagnostics {
	id := plan.SdkAppID.ValueInt64()
	found, err := r.client.LookAgain(ctx, id)
	diagnostics := guard(ctx, plan, state, found, err)
	wanted, more := plan.configuration(ctx)
	diagnostics.Append(more...)
	if diagnostics.HasError() {
		return diagnostics
	}
	requestID, err := r.client.Set(ctx, id, wanted)
	if err != nil {
		diagnostics.AddError("Cannot write the callback configuration", err.Error())
		return diagnostics
	}
	plan.LastRequestID = types.StringValue(requestID)
	if found, err := r.client.Get(ctx, id); err == nil && !wanted.equals(found) {
		diagnostics.AddError("The callback configuration has changed",
			fmt.Sprintf("Right after the write, SDKAppID %d has another configuration.", id))
	}
	return diagnostics
}

// guard refuses to overwrite anything but what the state holds, or what is wanted anyway. It gets what was read.
func guard(ctx context.Context, wanted, state *callbackModel, found *configuration, err error) diag.Diagnostics {
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Cannot read the callback configuration", err.Error())}
	}
	if found == nil {
		return nil
	}
	for _, expected := range []*callbackModel{wanted, state} {
		if expected == nil {
			continue
		}
		configuration, diagnostics := expected.configuration(ctx)
		if diagnostics.HasError() || configuration.equals(found) {
			return diagnostics
		}
	}
	summary := "An existing callback configuration would be lost"
	detail := fmt.Sprintf("SDKAppID %s has another configuration, of %d events.", wanted.SdkAppID, len(found.Commands))
	if wanted.OverwriteExisting.ValueBool() {
		return diag.Diagnostics{diag.NewWarningDiagnostic(summary, detail)}
	}
	return diag.Diagnostics{diag.NewErrorDiagnostic(summary, detail+" Set overwrite_existing = true to overwrite it.")}
}

// configuration returns what a model sends. It leaves out unknown values.
func (m *callbackModel) configuration(ctx context.Context) (configuration, diag.Diagnostics) {
	var commands []types.String
	diagnostics := m.CallbackCommands.ElementsAs(ctx, &commands, true)
	wanted := configuration{URL: m.URL.ValueString()}
	for _, command := range commands {
		wanted.Commands = append(wanted.Commands, command.ValueString())
	}
	return wanted.normalized(), diagnostics
}

// normalized sorts the commands, and removes duplicates.
func (c configuration) normalized() configuration {
	commands := slices.Sorted(slices.Values(c.Commands))
	return configuration{URL: c.URL, Commands: slices.Compact(commands)}
}

func (c configuration) equals(found *configuration) bool {
	return found != nil && c.URL == found.URL && slices.Equal(c.normalized().Commands, found.normalized().Commands)
}

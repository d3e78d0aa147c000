package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const defaultEndpoint = "https://console.tim.qq.com"

type tencentProvider struct{}

type providerModel struct {
	SdkAppID  types.Int64  `tfsdk:"sdk_app_id"`
	SecretKey types.String `tfsdk:"secret_key"`
	Endpoint  types.String `tfsdk:"endpoint"`
	Apps      types.Map    `tfsdk:"apps"`
}

type appModel struct {
	SecretKey types.String `tfsdk:"secret_key"`
}

func newProvider() provider.Provider {
	return &tencentProvider{}
}

func (*tencentProvider) Metadata(_ context.Context, _ provider.MetadataRequest, response *provider.MetadataResponse) {
	response.TypeName = "tencent"
}

func (*tencentProvider) Schema(_ context.Context, _ provider.SchemaRequest, response *provider.SchemaResponse) {
	response.Schema = schema.Schema{
		Description: "Manages the callback configurations (webhooks) of Tencent RTC applications.",
		Attributes: map[string]schema.Attribute{
			"sdk_app_id": schema.Int64Attribute{
				Description: "The SDKAppID of the default application. Environment variable: TENCENT_SDK_APP_ID.",
				Optional:    true,
			},
			"secret_key": schema.StringAttribute{
				Description: "The SecretKey of the default application. Environment variable: TENCENT_SECRET_KEY.",
				Optional:    true,
				Sensitive:   true,
			},
			"endpoint": schema.StringAttribute{
				Description: "The base URL to call. Environment variable: TENCENT_ENDPOINT.",
				Optional:    true,
			},
			"apps": schema.MapNestedAttribute{
				Description: "More applications, by SDKAppID.",
				Optional:    true,
				NestedObject: schema.NestedAttributeObject{
					Attributes: map[string]schema.Attribute{
						"secret_key": schema.StringAttribute{
							Description: "The application's SecretKey.",
							Required:    true,
							Sensitive:   true,
						},
					},
				},
			},
		},
	}
}

func (*tencentProvider) Configure(ctx context.Context, request provider.ConfigureRequest, response *provider.ConfigureResponse) {
	var config providerModel
	response.Diagnostics.Append(request.Config.Get(ctx, &config)...)
	var entries map[string]appModel
	if !config.Apps.IsNull() && !config.Apps.IsUnknown() {
		response.Diagnostics.Append(config.Apps.ElementsAs(ctx, &entries, false)...)
	}
	if response.Diagnostics.HasError() {
		return
	}

	endpoint, err := url.Parse(setting(config.Endpoint, "TENCENT_ENDPOINT", defaultEndpoint))
	if err != nil {
		response.Diagnostics.AddAttributeError(path.Root("endpoint"), "Invalid endpoint", "It must be a URL.")
		return
	}
	client := newClient(endpoint)
	for key, entry := range entries {
		id, err := strconv.ParseInt(key, 10, 64)
		if err != nil {
			response.Diagnostics.AddAttributeError(path.Root("apps").AtMapKey(key), "Invalid SDKAppID",
				fmt.Sprintf("%q is not a number.", key))
			continue
		}
		client.apps[id] = &app{id: id, secretKey: entry.SecretKey.ValueString()}
	}
	if id := config.SdkAppID.ValueInt64(); id != 0 {
		client.defaultID = id
	} else if text := os.Getenv("TENCENT_SDK_APP_ID"); text != "" {
		client.defaultID, err = strconv.ParseInt(text, 10, 64)
		if err != nil {
			response.Diagnostics.AddError("Invalid SDKAppID", fmt.Sprintf("TENCENT_SDK_APP_ID is %q, not a number.", text))
		}
	}
	if key := setting(config.SecretKey, "TENCENT_SECRET_KEY", ""); key != "" && client.defaultID != 0 {
		client.apps[client.defaultID] = &app{id: client.defaultID, secretKey: key}
	}
	response.ResourceData = client
}

// setting returns an argument, or else an environment variable, or else a default.
func setting(argument types.String, variable, otherwise string) string {
	if text := argument.ValueString(); text != "" {
		return text
	}
	if text := os.Getenv(variable); text != "" {
		return text
	}
	return otherwise
}

func (*tencentProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{newCallCallback}
}

func (*tencentProvider) DataSources(context.Context) []func() datasource.DataSource {
	return nil
}

// A provider on HashiCorp's terraform-plugin-framework that does the same work as this project's. Benchmarks measure the one
// beside the other.
package main

import (
	"context"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
)

func main() {
	err := providerserver.Serve(context.Background(), newProvider, providerserver.ServeOpts{
		Address:         "registry.terraform.io/callkit/tencent",
		ProtocolVersion: 6,
	})
	if err != nil {
		log.Fatal(err)
	}
}

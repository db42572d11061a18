"""Every sentence that the wallet and the workspace choose among: one table each, in English. Used by `channel_page`."""

from webui.texts import msg

SECTIONS: dict[str, str] = {
    "right": msg("To redeem"),
    "again": msg("To collect again"),
    "name": msg("Your name is needed"),
    "address": msg("Your address is needed"),
    "waiting": msg("Waiting for you"),
    "earned": msg("On its way"),
    "checking": msg("Being checked"),
    "paid": msg("Received"),
    "over": msg("No longer available"),
}
SHIPMENTS: dict[str, str] = {
    "to_send": msg("We have your address and will send it soon. Until then you can correct it."),
    "taken": msg("It is being packed."),
    "sent": msg("Sent with %(carrier)s, tracking number %(number)s."),
    "delivered": msg("Delivered. %(carrier)s, tracking number %(number)s."),
    "returned": msg("The parcel came back to us. Check the address and give it again until %(day)s."),
    "": msg(
        "This prize is sent to you. Your name, phone number and address are encrypted at once, used for sending it "
        "only, and erased 30 days after it has arrived. Give them until %(day)s."
    ),
}
STATES: dict[str, str] = {
    "raised": msg("Waits for approval"),
    "approved": msg("Waits for goods or credit"),
    "settled": msg("Settled"),
}
STEPS: dict[str, str] = {
    "raise": msg("Claimed"),
    "approve": msg("Approved"),
    "goods": msg("Replaced in goods"),
    "credit": msg("Settled in credit"),
}
DONE: dict[str, str] = {
    "collect": msg("Sent again. It appears below in a moment; confirm it when it does."),
    "name": msg("Thank you. Your reward is on its way."),
    "address": msg("Thank you. We will send your prize there."),
    "approve": msg("Approved."),
    "goods": msg("The goods are recorded."),
    "credit": msg("The credit is recorded."),
}
ERRORS: dict[str, str] = {
    "": msg("That did not work. Check what you entered and try again."),
    "redemption_code_malformed": msg("A code is twelve letters and digits. Please check it."),
    "redemption_code_unknown": msg("There is no such code. Please check it."),
    "redemption_used": msg("This code has been redeemed already. Hand nothing out."),
    "redemption_expired": msg("This code has expired. Hand nothing out."),
    "redemption_held": msg("This prize is being checked. Hand nothing out yet."),
    "redemption_not_ready": msg("This code cannot be redeemed. Hand nothing out."),
    "redemption_stopped": msg("Nothing is given out on this code at the moment."),
    "redemption_own_right": msg("Who won it cannot redeem it where they work."),
    "redemption_outlet_excluded": msg("This outlet does not take part in the campaign."),
    "redemption_out_of_region": msg("This code is for outlets of another region."),
    "redemption_person_limit": msg("This person has redeemed enough here today."),
    "redemption_tries": msg("Too many wrong codes today. Come back tomorrow."),
    "redemption_contended": msg("Too much at once. Send the same again."),
    "invitation_malformed": msg("An invitation is ten letters and digits. Please check it."),
    "invitation_unknown": msg("There is no such invitation. Please check it."),
    "invitation_used": msg("This invitation has been used."),
    "invitation_expired": msg("This invitation has expired. Ask for a new one."),
    "invitation_revoked": msg("This invitation was withdrawn."),
    "invitation_tries": msg("Too many codes for today. Come back tomorrow."),
    "already_member": msg("You belong to a party already."),
    "intent_not_allowed": msg("Only members of a party may do this."),
    "csrf_invalid": msg("This page was too old. Please try once more."),
    "session_required": msg("This page was too old. Please try once more."),
    "session_invalid": msg("This page was too old. Please try once more."),
    "session_expired": msg("This page was too old. Please try once more."),
    "reward_not_ready": msg("This reward is not in your wallet."),
    "reward_not_claimable": msg("This reward is not waiting to be collected."),
    "name_malformed": msg("A name has 2 to 30 letters, as on your bank card."),
    "name_not_wanted": msg("No name is needed here any more."),
    "receiver_malformed": msg("Who receives it: a name of 2 to 30 characters."),
    "phone_malformed": msg("The phone number has 7 to 15 digits. Please check it."),
    "address_malformed": msg("The address has 8 to 200 characters: province, city, street and number."),
    "address_not_wanted": msg("The address cannot be changed any more."),
    "reward_moved": msg("Too much at once. Send the same again."),
    "claim_not_raised": msg("More than was claimed cannot be approved."),
    "claim_not_approved": msg("More than was approved cannot be settled."),
    "claim_unknown": msg("Nothing was claimed from you here."),
    "reference_missing": msg("Name the shipment or the credit note."),
    "amount_missing": msg("Say what the credit came to."),
    "step_differs": msg("This page was too old. Please try once more."),
}
